"""The log of a network's calls beside the calls that are due: in each stage of a pass, the first that is another.

Orders that make no difference are no deviation, nor are calls that a network replaces by formulas of its own: an array
that is correct but belongs further on says that what lies between was done otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Optional

from diagnosis import wiring
from diagnosis.wiring import Call, Size
from sandbox.layers import GRADIENTS, Quantity, quantity
from sandbox.wire import Entry

UNKNOWN = "?"  # an array that the trace lacks
WORDS = {
    "x": "the network's input",
    "labels": "the labels",
    "criterion.forward": "the loss",
    "criterion.derivative": "the criterion's derivative",
    "NoneType": "None",
    UNKNOWN: "another array",
}
RESULTS = {"forward": "'s output", "backward": "'s dx", "derivative": "'s derivative"}


class Deviation(NamedTuple):
    """What a method of the network does otherwise than a correct one, its kind, and the line if it is one line's."""

    method: str
    kind: str
    sentence: str
    place: str = ""


class Pass(NamedTuple):
    """One pass of the log, and what is known of it: whether it trains, the network's size, the gradients not set."""

    number: int
    training: bool
    entries: list[Entry]
    size: Size
    unset: set[Quantity]

    def of(self, stage: str) -> list[Entry]:
        return [entry for entry in self.entries if entry.stage == stage]


@dataclass
class Step:
    """An entry of the log, or its end, where `made` of the calls that are due have been made."""

    log: Pass
    entry: Entry
    before: list[Entry]
    due: list[Call]
    made: int
    place: int = -1  # of this call among those that are due, if it is one of them

    def __post_init__(self) -> None:
        self.call = self.due[self.place].returns
        self.layer, self.k = self.call.place, self.call.index or 0
        self.next = self.due[self.made].returns if self.made < len(self.due) else None  # the call that is due now
        self.handed, self.expected = (" ".join(names[:1]) for names in (self.entry.handed, self.due[self.place].handed))
        self.wrong = self.place >= 0 and self.handed != self.expected
        self.again = self.wrong and self.place < self.made
        self.ahead = self.wrong and self.place > self.made


Difference = Optional[Deviation]
Rule = Callable[[Step], Difference]


def deviations(entries: Sequence[Entry], size: Size, modes: list[bool], unset: set[Quantity]) -> list[Deviation]:
    """The first deviation of each method; `unset` names gradients that are not there, or zero."""
    first: dict[str, Deviation] = {}
    for number, training in enumerate(modes):
        log = Pass(number, training, [entry for entry in entries if entry.number == number], size, unset)
        backward = [call for call in wiring.backward(size) if call.handed]
        for deviation in (
            _zero_grads(log),
            _step(log),
            _compared(log, log.of("forward"), wiring.forward(size), FORWARD),
            _compared(log, log.entries, wiring.criterion(size), CRITERION),
            _compared(log, log.of("backward"), backward, BACKWARD),
        ):
            # After a wrong step the arrays of a pass are others: only the flag that it hands over still tells.
            if deviation and ("MLP.step" not in first or deviation.kind in ("flag", "mode")):
                first.setdefault(deviation.method, deviation)
    return list(first.values())


def _compared(log: Pass, entries: list[Entry], due: list[Call], rules: tuple[Rule, ...]) -> Difference:
    """The first deviation from the calls that are due, by the first rule that applies; the last rule sees the end."""
    *each, last = rules
    places = {call.name: place for place, call in enumerate(due)}
    made = 0
    for number, entry in enumerate(entries):
        place = places.get(entry.call, -1)
        if len(entry.handed) < len(due[place].handed):
            place = -1
        step = Step(log, entry, entries[:number], due, made, place)
        if deviation := next(filter(None, (rule(step) for rule in each)), None):
            return deviation
        made = max(made, place + 1)
    return last(Step(log, Entry(log.number, "", "", (), "", 0), entries, due, made))


def _zero_grads(log: Pass) -> Difference:
    verbs = {"clears": "sets {} to zero", "changes": "changes {}"}
    for entry in log.of("zero_grads"):
        if entry.call in verbs and entry.handed:
            name, verb = entry.handed[0], verbs[entry.call]
            sentence = f"MLP.zero_grads {verb.format(name)}: it is for gradients alone"
            return Deviation("MLP.zero_grads", f"{entry.call} {quantity(name).name}", sentence)
    return None


def _step(log: Pass) -> Difference:
    moved = {quantity(e.handed[0]): e.call for e in log.entries if e.call in ("moves", "keeps") and e.handed}
    if not moved:
        return None
    first = {parameter.layer: parameter for parameter in reversed(moved)}  # of each kind of layer
    texts = [
        f"leaves {parameter} as it was" if moved[parameter] == "keeps" else f"leaves another {parameter} than it should"
        for parameter in reversed(first.values())
    ]
    kind = " ".join(sorted({f"{verb} {parameter.name}" for parameter, verb in moved.items()}))
    when = "1" if log.number == 1 else "later"
    return Deviation("MLP.step", f"step {when} {kind}", f"MLP.step {' and '.join(texts)} after step {log.number}")


# ---------------------------------------------------------------- forward


def _forward(kind: str, text: str, step: Step) -> Deviation:
    return Deviation("MLP.forward", kind, f"MLP.forward {text}", step.entry.place)


def _batchnorm_too_many(step: Step) -> Difference:
    called = quantity(step.entry.call)
    if (called.layer, called.name) != ("bn_layers", "forward") or (called.index or 0) < step.log.size.bn:
        return None
    return _forward("calls bn_layers", f"calls {called.place}, where num_bn_layers is {step.log.size.bn}", step)


def _wrong_flag(step: Step) -> Difference:
    flag, training = (step.entry.handed[1:] or ("False",))[0], step.log.training
    if step.place < 0 or step.wrong or step.call.layer != "bn_layers" or flag != str(training):
        return None
    mode = next((entry.handed[0] for entry in step.log.of("forward") if entry.call == "mode" and entry.handed), "")
    if mode:  # which no line of MLP.forward's shows
        who = f"train_mode is {mode} while it trains" if training else f"MLP.eval leaves train_mode {mode}"
        return Deviation("MLP.forward", "mode", f"{who}: {step.layer} runs with eval={flag}")
    if training:
        return _forward("flag", f"passes eval=True to {step.layer} while it trains", step)
    return _forward("flag", f"does not pass the eval flag to {step.layer} in inference", step)


def _layer_again(step: Step) -> Difference:
    if not step.again:
        return None
    where = f", where {step.next.place} is due" if step.next else ", after the last layer"
    text = f"calls {step.layer} a second time{where}, and hands it {in_words(step.handed)}"
    return _forward("calls again", text, step)


def _layer_left_out(step: Step) -> Difference:
    if not step.ahead or not step.next or step.handed not in ("x", *(call.name for call in step.due[: step.made])):
        return None
    text = f"leaves out {step.next.place}: {step.layer} is handed {in_words(step.handed)}"
    return _forward(f"leaves out {step.next.layer}", text, step)


def _changed_output(step: Step) -> Difference:
    if not step.wrong or step.handed != UNKNOWN:
        return None
    return _forward("changes", f"changes {in_words(step.expected)} before it hands it to {step.layer}", step)


def _another_output(step: Step) -> Difference:
    if not step.wrong:
        return None
    text = f"hands {in_words(step.handed)} to {step.layer}, where {in_words(step.expected)} is due"
    return _forward("hands", text, step)


def _another_return(end: Step) -> Difference:
    names = [call.name for call in end.due]
    returned = next((e.handed[0] for e in end.before if e.call == "return" and e.handed), names[-1])
    if not end.made and returned == "x":
        return _forward("stops", "calls no layer and returns the network's input", end)
    if not end.made or returned == names[-1]:
        return None
    if not end.next:
        known = in_words(returned) if returned in ("x", *names) else "something else"
        return _forward("returns", f"calls every layer and then returns {known}, not {in_words(names[-1])}", end)
    if returned not in names:
        return None
    if end.next.layer == "linear_layers":
        return _forward("stops", f"stops after layer {end.next.index} of {end.log.size.layers}", end)
    return _forward(
        f"leaves out {end.next.layer}", f"leaves out {end.next.place}: it returns {in_words(returned)}", end
    )


FORWARD = (
    _batchnorm_too_many,
    _wrong_flag,
    _layer_again,
    _layer_left_out,
    _changed_output,
    _another_output,
    _another_return,
)


# ---------------------------------------------------------------- backward, and the criterion's two calls before it


def _backward(kind: str, text: str, step: Step) -> Deviation:
    return Deviation("MLP.backward", kind, f"MLP.backward {text}", step.entry.place)


def _labels_first(step: Step) -> Difference:
    if step.place < 0 or step.entry.handed[:2] != step.due[0].handed[::-1]:
        return None
    text = "calls the criterion with the labels first: it takes the output, then the labels"
    return _backward("criterion", text, step)


def _another_to_the_criterion(step: Step) -> Difference:
    for handed, due in zip(step.entry.handed, step.due[step.place].handed) if step.place >= 0 else ():
        if handed not in (due, UNKNOWN):
            text = f"hands {in_words(handed)} to the criterion, where {in_words(due)} is due"
            return _backward("criterion", text, step)
    return None


def _derivative_too_early(step: Step) -> Difference:
    if step.place <= step.made:
        return None
    text = "asks for the criterion's derivative before the criterion is called with output and labels"
    return _backward("criterion", text, step)


CRITERION: tuple[Rule, ...] = (_labels_first, _another_to_the_criterion, _derivative_too_early, lambda end: None)


def _another_derivative(step: Step) -> Difference:
    """Where the method raised: shapes that don't fit are those of another layer's derivative."""
    if step.entry.call != "raised" or not step.next:
        return None
    asked = next((entry for entry in reversed(step.before) if entry.call.startswith("activations")), None)
    if asked is None or quantity(asked.call).index == step.next.index:
        return None
    due = in_words(f"activations[{step.next.index}].derivative")
    return _backward("asks", f"asks for {in_words(asked.call)}, where {due} is due", step)._replace(place=asked.place)


def _down_again(step: Step) -> Difference:
    where = f", where {step.next.place} is due" if step.next else ""
    return _backward("calls again", f"calls {step.call} a second time{where}", step) if step.again else None


def _batchnorm_left_out(step: Step) -> Difference:
    due = step.next.place if step.next else ""
    if not step.ahead or (due, step.handed) != (f"bn_layers[{step.k}]", f"delta[{step.k}]"):
        return None
    text = f"leaves out {due}: {step.call} is handed {in_words(step.handed)}"
    return _backward("leaves out bn_layers", text, step)


def _another_order(step: Step) -> Difference:
    return _backward("order", f"calls {step.call}, where {step.next} is due", step) if step.ahead else None


def _derivative_left_out(step: Step) -> Difference:
    if not step.wrong or step.expected != f"delta[{step.k}]" or step.handed != _above(step):
        return None
    text = f"leaves out activations[{step.k}]'s derivative: {step.call} is handed {in_words(step.handed)}"
    return _backward("leaves out a derivative", text, step)


def _another_delta(step: Step) -> Difference:
    if not step.wrong:
        return None
    due, handed = in_words(step.expected), "something else" if step.handed == UNKNOWN else in_words(step.handed)
    if step.expected == f"delta[{step.k}]":
        due = f"{in_words(_above(step))}, times activations[{step.k}]'s derivative,"
    return _backward("hands", f"hands {handed} to {step.call}, where {due} is due", step)


def _stops(end: Step) -> Difference:
    if not end.next or end.log.unset.isdisjoint(end.next._replace(name=name) for name in GRADIENTS):
        return None
    after = f"stops after {end.due[end.made - 1].layer}: it " if end.made else ""
    return _backward("stops", f"{after}never calls {end.next}", end)


BACKWARD = (
    _another_derivative,
    _down_again,
    _batchnorm_left_out,
    _another_order,
    _derivative_left_out,
    _another_delta,
    _stops,
)


def _above(step: Step) -> str:
    """The name of what comes down to the layer."""
    return f"linear_layers[{step.k + 1}].backward" if step.k + 1 < step.log.size.layers else "criterion.derivative"


def in_words(name: str) -> str:
    """A name of the log in a student's words."""
    if name in WORDS:
        return WORDS[name]
    if name.startswith("delta["):
        return f"the delta of layer {name[len('delta[') : -1]}"
    array = quantity(name)
    if not array.place:
        return f"a {name}"
    return array.place + RESULTS[array.name] if array.name in RESULTS else name
