"""The log of a network's calls in words: the first call, in each stage of a pass, that is not the one due.

Orders that make no difference are no deviation, nor are calls that a network replaces by formulas of its own: an array
that is right but belongs further on says that what lies between was done otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple, Optional

from homework.wiring import Call, backward, forward

UNKNOWN = ("?", "?!")  # arrays that the trace lacks; of the first, the log has the values


class Entry(NamedTuple):
    """One line of the log: the pass, the network's method that runs, the call, the names of what it was handed."""

    number: int
    stage: str
    call: str
    handed: list[str]


class Deviation(NamedTuple):
    """What a network does otherwise than a right one.

    `kind` is the same for any layer and any network; where an array was handed that the trace lacks, `due` names the
    pass and the array in whose place it came.
    """

    sentence: str
    kind: str
    due: str = ""

    @property
    def method(self) -> str:
        """The network's method that deviates."""
        return self.sentence.partition(" ")[0]


def read(lines: Iterable[str]) -> list[Entry]:
    """The log's lines as entries; what is none, is left out."""
    entries = []
    for line in lines:
        parts = line.split()
        if len(parts) >= 3 and parts[0].isdigit():
            entries.append(Entry(int(parts[0]), parts[1], parts[2], parts[3:]))
    return entries


def deviations(entries: list[Entry], size: tuple[int, int], modes: list[bool], wrong: set[str]) -> list[Deviation]:
    """The first deviation of each method; `size` counts the layers and the batch norms, `wrong` names quantities."""
    found: dict[str, Deviation] = {}
    for number, training in enumerate(modes):
        own = [entry for entry in entries if entry.number == number]
        moved = [entry.handed[0] for entry in own if entry.call == "parameter" and entry.handed]
        for pair in (
            (f"MLP.step leaves another {moved[0]} behind than it should, after step {number}", "") if moved else None,
            _forward([entry for entry in own if entry.stage == "forward"], forward(*size), training),
            _criterion(own, size[0])
            or _backward([entry for entry in own if entry.stage == "backward"], backward(*size), size[0], wrong),
        ):
            if pair:
                sentence, due = pair
                kind = re.sub(r"\d+", "k", sentence)
                one = Deviation(sentence, kind, f"{number}/{due}" if due else "")
                found.setdefault(one.method, one)
    return list(found.values())


Found = Optional[tuple[str, str]]  # a sentence, and the name of the array that is due where an unknown one came


def _forward(entries: list[Entry], due: list[Call], training: bool) -> Found:
    names = [call.name for call in due]
    at = 0  # the call that is due
    for entry in entries:
        if entry.call not in names or not entry.handed:
            continue
        place = names.index(entry.call)
        call, handed = due[place], entry.handed[0]
        if handed == call.handed[0]:
            at = max(at, place + 1)
            if fault := _flag(call, entry, training):
                return fault, ""
        elif place < at:
            where = f", where {due[at].layer} is due" if at < len(due) else ", after the last layer"
            return f"MLP.forward calls {call.layer} a second time{where}, and hands it {said(handed)}", ""
        elif place > at and handed in ("x", *names[:at]):
            return f"MLP.forward leaves out {due[at].layer}: {call.layer} is handed {said(handed)}", ""
        elif handed in UNKNOWN:
            return f"MLP.forward changes {said(call.handed[0])} before it hands it to {call.layer}", call.handed[0]
        else:
            return f"MLP.forward hands {said(handed)} to {call.layer}, where {said(call.handed[0])} is due", ""
    returned = next((entry.handed[0] for entry in entries if entry.call == "return" and entry.handed), names[-1])
    if returned == names[-1] or not at:
        return None
    if at == len(due):
        what = said(returned) if returned in ("x", *names) else "something else"
        return f"MLP.forward calls every layer and then returns {what}, not {said(names[-1])}", names[-1]
    if returned in names:
        if due[at].layer.startswith("linear"):
            return f"MLP.forward stops after layer {_number(due[at].layer)} of {_number(due[-1].layer) + 1}", ""
        return f"MLP.forward leaves out {due[at].layer}: it returns {said(returned)}", ""
    return None


def _flag(call: Call, entry: Entry, training: bool) -> str:
    """What is wrong with the mode that batch norm is told, if it is told one plainly."""
    flag = (entry.handed[1:] or ["False"])[0]
    if not call.layer.startswith("bn_layers") or flag not in ("True", "False") or (flag == "False") == training:
        return ""
    if training:
        return f"MLP.forward passes eval=True to {call.layer} while it trains"
    return f"MLP.forward does not pass the eval flag to {call.layer} in inference"


def _criterion(entries: list[Entry], layers: int) -> Found:
    due = [f"activations[{layers - 1}].forward", "labels"]
    called = False
    for entry in entries:
        if entry.call == "criterion.forward" and len(entry.handed) >= 2:
            called = True
            if entry.handed[:2] == due[::-1]:
                return (
                    "MLP.backward calls the criterion with the labels first: it takes the output, then the labels",
                    "",
                )
            for handed, right in zip(entry.handed, due):
                if handed not in (right, *UNKNOWN):
                    return f"MLP.backward hands {said(handed)} to the criterion, where {said(right)} is due", ""
        elif entry.call == "criterion.derivative" and not called:
            return "MLP.backward asks for the criterion's derivative before it calls it with output and labels", ""
    return None


def _backward(entries: list[Entry], calls: list[Call], layers: int, wrong: set[str]) -> Found:
    due = [call for call in calls if call.method == "backward"]
    names = [call.name for call in due]
    at = 0
    for entry in entries:
        if entry.call not in names or not entry.handed:
            continue
        place = names.index(entry.call)
        (layer, _, [right]), handed = due[place], entry.handed[0]
        k = _number(layer)
        if handed == right:
            at = max(at, place + 1)
        elif place < at:
            where = f", where {due[at].layer} is due" if at < len(due) else ""
            return f"MLP.backward calls {layer}.backward a second time{where}", ""
        elif place > at and (due[at].layer, handed) == (f"bn_layers[{k}]", f"delta[{k}]"):
            return f"MLP.backward leaves out {due[at].layer}: {layer}.backward is handed {_delta(k, layers)}", ""
        elif place > at:
            return f"MLP.backward calls {layer}.backward, where {due[at].layer}.backward is due", ""
        elif handed == _above(k, layers) and right == f"delta[{k}]":
            return (
                f"MLP.backward leaves out activations[{k}]'s derivative: {layer}.backward is handed {said(handed)}",
                "",
            )
        else:
            what = "something else" if handed in UNKNOWN else said(handed)
            wanted = _delta(k, layers) + "," if right == f"delta[{k}]" else said(right)
            return f"MLP.backward hands {what} to {layer}.backward, where {wanted} is due", right
    if 0 < at < len(due) and {f"{due[at].layer}.{name}" for name in ("dW", "db", "dgamma", "dbeta")} & wrong:
        return f"MLP.backward stops after {due[at - 1].layer}: {due[at].layer}.backward is not called", ""
    return None


def _number(layer: str) -> int:
    return int(re.findall(r"\d+", layer)[0])


def _above(k: int, layers: int) -> str:
    """The name of what comes down to layer k."""
    return f"linear_layers[{k + 1}].backward" if k + 1 < layers else "criterion.derivative"


def _delta(k: int, layers: int) -> str:
    return f"{said(_above(k, layers))}, times activations[{k}]'s derivative"


def said(name: str) -> str:
    """A name of the log in a student's words."""
    words = {
        "x": "the network's input",
        "labels": "the labels",
        "criterion.forward": "the loss",
        "criterion.derivative": "the criterion's derivative",
        "NoneType": "None",
    }
    if name in words or name in UNKNOWN:
        return words.get(name, "another array")
    layer, _, method = name.rpartition(".")
    ends = {"forward": "'s output", "backward": "'s dx", "derivative": "'s derivative"}
    if method in ends:
        return layer + ends[method]
    if name.startswith("delta["):
        return f"the delta of layer {_number(name)}"
    return name if layer else f"a {name}"
