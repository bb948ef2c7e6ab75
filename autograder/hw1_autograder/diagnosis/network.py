"""The log of a network's calls in words: the first call, in each stage of a pass, that is not the one due.

Orders that make no difference are no deviation, nor are calls that a network replaces by formulas of its own: an array
that is right but belongs further on says that what lies between was done otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from homework.wiring import Call, backward, forward
from sandbox.wire import Entry

UNKNOWN = "?"  # an array that the trace lacks


class Deviation(NamedTuple):
    """What a method of the network does otherwise than a right one, its kind, and the line if it is one line's."""

    method: str
    kind: str
    sentence: str
    place: str = ""


def deviations(entries: Sequence[Entry], size: tuple[int, int], modes: list[bool], none: set[str]) -> list[Deviation]:
    """The first deviation of each method; `size` counts layers and batch norms, `none` names gradients not set."""
    found: dict[str, Deviation] = {}
    for number, training in enumerate(modes):
        own = [entry for entry in entries if entry.number == number]
        for one in (
            _zero_grads(own),
            _step(own, number),
            _forward([entry for entry in own if entry.stage == "forward"], forward(*size), training),
            _criterion(own, size[0]),
            _backward([entry for entry in own if entry.stage == "backward"], backward(*size), size[0], none),
        ):
            # After a wrong step the arrays of a pass are others: only the flag that it hands over still tells.
            if one and ("MLP.step" not in found or one.kind in ("flag", "mode")):
                found.setdefault(one.method, one)
    return list(found.values())


def _zero_grads(entries: list[Entry]) -> Deviation | None:
    verbs = {"clears": "sets {} to zero", "changes": "changes {}"}
    for entry in entries:
        if entry.stage == "zero_grads" and entry.call in verbs and entry.handed:
            said_so = f"MLP.zero_grads {verbs[entry.call].format(entry.handed[0])}: it is for gradients alone"
            return Deviation("MLP.zero_grads", f"{entry.call} {entry.handed[0].rpartition('.')[2]}", said_so)
    return None


def _step(entries: list[Entry], number: int) -> Deviation | None:
    moved = {entry.handed[0]: entry.call for entry in entries if entry.call in ("moves", "keeps") and entry.handed}
    if not moved:
        return None
    first = {name.partition("[")[0]: name for name in reversed(moved)}  # of each kind of layer
    said_so = [
        f"leaves {name} as it was" if moved[name] == "keeps" else f"leaves another {name} than it should"
        for name in reversed(first.values())
    ]
    kind = " ".join(sorted({f"{call} {name.rpartition('.')[2]}" for name, call in moved.items()}))
    when = "1" if number == 1 else "later"
    return Deviation("MLP.step", f"step {when} {kind}", f"MLP.step {' and '.join(said_so)} after step {number}")


def _forward(entries: list[Entry], due: list[Call], training: bool) -> Deviation | None:
    def deviation(kind: str, sentence: str, place: str = "") -> Deviation:
        return Deviation("MLP.forward", kind, f"MLP.forward {sentence}", place)

    names = [call.name for call in due]
    at = 0  # the call that is due
    for entry in entries:
        if re.fullmatch(r"bn_layers\[\d+\]\.forward", entry.call) and entry.call not in names:
            layer, bn = entry.call.rpartition(".")[0], sum(name.startswith("bn_layers") for name in names)
            return deviation("calls bn_layers", f"calls {layer}, where num_bn_layers is {bn}", entry.place)
        if entry.call not in names or not entry.handed:
            continue
        place = names.index(entry.call)
        call, handed, line = due[place], entry.handed[0], entry.place
        if handed == call.handed[0]:
            at = max(at, place + 1)
            flag = (entry.handed[1:] or ["False"])[0]
            if call.layer.startswith("bn_layers") and flag == str(training):
                mode = next((one.handed[0] for one in entries if one.call == "mode" and one.handed), "")
                if mode:
                    who = "train_mode is {} while it trains" if training else "MLP.eval leaves train_mode {}"
                    said_so = f"{who.format(mode)}: {call.layer} runs with eval={flag}"
                    return Deviation("MLP.forward", "mode", said_so)  # which no line of MLP.forward's shows
                if training:
                    return deviation("flag", f"passes eval=True to {call.layer} while it trains", line)
                return deviation("flag", f"does not pass the eval flag to {call.layer} in inference", line)
        elif place < at:
            where = f", where {due[at].layer} is due" if at < len(due) else ", after the last layer"
            said_so = f"calls {call.layer} a second time{where}, and hands it {said(handed)}"
            return deviation("calls again", said_so, line)
        elif place > at and handed in ("x", *names[:at]):
            family = due[at].layer.partition("[")[0]
            return deviation(f"leaves out {family}", f"leaves out {due[at].layer}: {_handed(call.layer, handed)}", line)
        elif handed == UNKNOWN:
            changed = call.handed[0]
            return deviation("changes", f"changes {said(changed)} before it hands it to {call.layer}", line)
        else:
            return deviation(
                "hands", f"hands {said(handed)} to {call.layer}, where {said(call.handed[0])} is due", line
            )
    returned = next((entry.handed[0] for entry in entries if entry.call == "return" and entry.handed), names[-1])
    if returned == "x" and not at:
        return deviation("stops", "calls no layer and returns the network's input")
    if returned == names[-1] or not at:
        return None
    if at == len(due):
        what = said(returned) if returned in ("x", *names) else "something else"
        said_so = f"calls every layer and then returns {what}, not {said(names[-1])}"
        return deviation("returns", said_so)
    if returned in names and due[at].layer.startswith("linear"):
        return deviation("stops", f"stops after layer {_number(due[at].layer)} of {_number(due[-1].layer) + 1}")
    if returned in names:
        family = due[at].layer.partition("[")[0]
        return deviation(f"leaves out {family}", f"leaves out {due[at].layer}: it returns {said(returned)}")
    return None


def _criterion(entries: list[Entry], layers: int) -> Deviation | None:
    def deviation(sentence: str, place: str) -> Deviation:
        return Deviation("MLP.backward", "criterion", f"MLP.backward {sentence}", place)

    due = (f"activations[{layers - 1}].forward", "labels")
    called = False
    for entry in entries:
        if entry.call == "criterion.forward" and len(entry.handed) >= 2:
            called = True
            if entry.handed[:2] == due[::-1]:
                said_so = "calls the criterion with the labels first: it takes the output, then the labels"
                return deviation(said_so, entry.place)
            for handed, right in zip(entry.handed, due):
                if handed not in (right, UNKNOWN):
                    return deviation(f"hands {said(handed)} to the criterion, where {said(right)} is due", entry.place)
        elif entry.call == "criterion.derivative" and not called:
            said_so = "asks for the criterion's derivative before the criterion is called with output and labels"
            return deviation(said_so, entry.place)
    return None


def _backward(entries: list[Entry], calls: list[Call], layers: int, none: set[str]) -> Deviation | None:
    def deviation(kind: str, sentence: str, place: str = "") -> Deviation:
        return Deviation("MLP.backward", kind, f"MLP.backward {sentence}", place)

    due = [call for call in calls if call.method == "backward"]
    names = [call.name for call in due]
    at = 0
    asked: Entry | None = None  # the derivative asked for last
    for entry in entries:
        if entry.call.startswith("activations"):
            asked = entry
        if entry.call == "raised" and asked and at < len(due) and _number(asked.call) != _number(due[at].layer):
            wanted = f"activations[{_number(due[at].layer)}].derivative"
            return deviation("asks", f"asks for {said(asked.call)}, where {said(wanted)} is due", asked.place)
        if entry.call not in names or not entry.handed:
            continue
        place, line = names.index(entry.call), entry.place
        (layer, _, [right]), handed = due[place], entry.handed[0]
        call, k = f"{layer}.backward", _number(layer)
        if handed == right:
            at = max(at, place + 1)
        elif place < at:
            where = f", where {due[at].layer} is due" if at < len(due) else ""
            return deviation("calls again", f"calls {call} a second time{where}", line)
        elif place > at and (due[at].layer, handed) == (f"bn_layers[{k}]", f"delta[{k}]"):
            return deviation("leaves out bn_layers", f"leaves out {due[at].layer}: {_handed(call, handed)}", line)
        elif place > at:
            return deviation("order", f"calls {call}, where {due[at].layer}.backward is due", line)
        elif handed == _above(k, layers) and right == f"delta[{k}]":
            said_so = f"leaves out activations[{k}]'s derivative: {_handed(call, handed)}"
            return deviation("leaves out a derivative", said_so, line)
        else:
            what = "something else" if handed == UNKNOWN else said(handed)
            wanted = said(right)
            if right == f"delta[{k}]":
                wanted = f"{said(_above(k, layers))}, times activations[{k}]'s derivative,"
            return deviation("hands", f"hands {what} to {call}, where {wanted} is due", line)
    if at < len(due) and {f"{due[at].layer}.{name}" for name in ("dW", "db", "dgamma", "dbeta")} & none:
        after = f"stops after {due[at - 1].layer}: it " if at else ""
        return deviation("stops", f"{after}never calls {due[at].layer}.backward")
    return None


def _handed(call: str, name: str) -> str:
    return f"{call} is handed {said(name)}"


def _number(layer: str) -> int:
    return int(re.findall(r"\d+", layer)[0])


def _above(k: int, layers: int) -> str:
    """The name of what comes down to layer k."""
    return f"linear_layers[{k + 1}].backward" if k + 1 < layers else "criterion.derivative"


def said(name: str) -> str:
    """A name of the log in a student's words."""
    words = {
        "x": "the network's input",
        "labels": "the labels",
        "criterion.forward": "the loss",
        "criterion.derivative": "the criterion's derivative",
        "NoneType": "None",
    }
    if name in words or name == UNKNOWN:
        return words.get(name, "another array")
    layer, _, method = name.rpartition(".")
    ends = {"forward": "'s output", "backward": "'s dx", "derivative": "'s derivative"}
    if method in ends:
        return layer + ends[method]
    if name.startswith("delta["):
        return f"the delta of layer {_number(name)}"
    return name if layer else f"a {name}"
