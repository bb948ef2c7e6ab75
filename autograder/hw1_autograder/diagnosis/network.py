"""The log of a network's calls beside the calls that are due: in each stage of a pass, the first that is another.

Orders that make no difference are no deviation, nor are calls that a network replaces by formulas of its own: an array
that is right but belongs further on says that what lies between was done otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

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
    """What a method of the network does otherwise than a right one, its kind, and the line if it is one line's."""

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


class Step(NamedTuple):
    """An entry of the log, or its end, where `made` of the calls that are due have been made."""

    entry: Entry
    before: list[Entry]
    due: list[Call]
    made: int
    place: int = -1  # of this call among those that are due, if it is one of them

    @property
    def known(self) -> bool:
        return self.place >= 0

    @property
    def call(self) -> Call:
        return self.due[self.place]

    @property
    def handed(self) -> str:
        return self.entry.handed[0]

    @property
    def wrong(self) -> bool:
        return self.known and self.handed != self.call.handed[0]

    @property
    def next(self) -> Quantity | None:
        return self.due[self.made].returns if self.made < len(self.due) else None


Rule = Callable[[Step, Pass], "Deviation | None"]


def deviations(entries: Sequence[Entry], size: Size, modes: list[bool], unset: set[Quantity]) -> list[Deviation]:
    """The first deviation of each method; `unset` names gradients that are not there, or zero."""
    first: dict[str, Deviation] = {}
    for number, training in enumerate(modes):
        this = Pass(number, training, [entry for entry in entries if entry.number == number], size, unset)
        for deviation in _deviations(this):
            # After a wrong step the arrays of a pass are others: only the flag that it hands over still tells.
            if "MLP.step" not in first or deviation.kind in ("flag", "mode"):
                first.setdefault(deviation.method, deviation)
    return list(first.values())


def _deviations(this: Pass) -> Iterator[Deviation]:
    backward = [call for call in wiring.backward(this.size) if call.handed]
    compared = (
        _zero_grads(this),
        _step(this),
        _compared(this, this.of("forward"), wiring.forward(this.size), FORWARD),
        _compared(this, this.entries, wiring.criterion(this.size), CRITERION),
        _compared(this, this.of("backward"), backward, BACKWARD),
    )
    yield from filter(None, compared)


def _compared(this: Pass, entries: list[Entry], due: list[Call], rules: tuple[Rule, ...]) -> Deviation | None:
    """The first deviation from the calls that are due, by the first rule that applies; the last sees the log's end."""
    *each, end = rules
    places = {call.name: place for place, call in enumerate(due)}
    made = 0
    for number, entry in enumerate(entries):
        place = places.get(entry.call, -1)
        if len(entry.handed) < len(due[place].handed):
            place = -1
        step = Step(entry, entries[:number], due, made, place)
        for rule in each:
            if deviation := rule(step, this):
                return deviation
        made = max(made, place + 1)
    return end(Step(Entry(this.number, "", "", (), "", 0), entries, due, made), this)


def _does(method: str, kind: str, what: str, place: str = "") -> Deviation:
    return Deviation(method, kind, f"{method} {what}", place)


# ---------------------------------------------------------------- zero_grads and step


def _zero_grads(this: Pass) -> Deviation | None:
    verbs = {"clears": "sets {} to zero", "changes": "changes {}"}
    for entry in this.of("zero_grads"):
        if entry.call in verbs and entry.handed:
            name = entry.handed[0]
            what = f"{verbs[entry.call].format(name)}: it is for gradients alone"
            return _does("MLP.zero_grads", f"{entry.call} {quantity(name).name}", what)
    return None


def _step(this: Pass) -> Deviation | None:
    moved = {quantity(e.handed[0]): e.call for e in this.entries if e.call in ("moves", "keeps") and e.handed}
    if not moved:
        return None
    first = {parameter.layer: parameter for parameter in reversed(moved)}  # of each kind of layer
    texts = [
        f"leaves {parameter} as it was" if moved[parameter] == "keeps" else f"leaves another {parameter} than it should"
        for parameter in reversed(first.values())
    ]
    kind = " ".join(sorted({f"{verb} {parameter.name}" for parameter, verb in moved.items()}))
    when = "1" if this.number == 1 else "later"
    return _does("MLP.step", f"step {when} {kind}", f"{' and '.join(texts)} after step {this.number}")


# ---------------------------------------------------------------- forward


def _calls_a_batchnorm_too_many(step: Step, this: Pass) -> Deviation | None:
    called = quantity(step.entry.call)
    if (called.layer, called.name) != ("bn_layers", "forward") or (called.index or 0) < this.size.bn:
        return None
    what = f"calls {called.place}, where num_bn_layers is {this.size.bn}"
    return _does("MLP.forward", "calls bn_layers", what, step.entry.place)


def _runs_in_the_wrong_mode(step: Step, this: Pass) -> Deviation | None:
    flag = (step.entry.handed[1:] or ["False"])[0]
    if not step.known or step.wrong or step.call.returns.layer != "bn_layers" or flag != str(this.training):
        return None
    layer = step.call.layer
    mode = next((entry.handed[0] for entry in this.of("forward") if entry.call == "mode" and entry.handed), "")
    if mode:  # which no line of MLP.forward's shows
        who = f"train_mode is {mode} while it trains" if this.training else f"MLP.eval leaves train_mode {mode}"
        return Deviation("MLP.forward", "mode", f"{who}: {layer} runs with eval={flag}")
    what = f"passes eval=True to {layer} while it trains"
    if not this.training:
        what = f"does not pass the eval flag to {layer} in inference"
    return _does("MLP.forward", "flag", what, step.entry.place)


def _calls_a_layer_again(step: Step, this: Pass) -> Deviation | None:
    if not step.wrong or step.place >= step.made:
        return None
    where = f", where {step.next.place} is due" if step.next else ", after the last layer"
    what = f"calls {step.call.layer} a second time{where}, and hands it {in_words(step.handed)}"
    return _does("MLP.forward", "calls again", what, step.entry.place)


def _leaves_out_a_layer(step: Step, this: Pass) -> Deviation | None:
    if not step.wrong or not step.next or step.place <= step.made:
        return None
    if step.handed not in ("x", *(call.name for call in step.due[: step.made])):
        return None
    what = f"leaves out {step.next.place}: {step.call.layer} is handed {in_words(step.handed)}"
    return _does("MLP.forward", f"leaves out {step.next.layer}", what, step.entry.place)


def _changes_what_it_hands_on(step: Step, this: Pass) -> Deviation | None:
    if not step.wrong or step.handed != UNKNOWN:
        return None
    what = f"changes {in_words(step.call.handed[0])} before it hands it to {step.call.layer}"
    return _does("MLP.forward", "changes", what, step.entry.place)


def _hands_another_output(step: Step, this: Pass) -> Deviation | None:
    if not step.wrong:
        return None
    due = in_words(step.call.handed[0])
    what = f"hands {in_words(step.handed)} to {step.call.layer}, where {due} is due"
    return _does("MLP.forward", "hands", what, step.entry.place)


def _returns_another_output(end: Step, this: Pass) -> Deviation | None:
    names = [call.name for call in end.due]
    returned = next((e.handed[0] for e in end.before if e.call == "return" and e.handed), names[-1])
    if not end.made and returned == "x":
        return _does("MLP.forward", "stops", "calls no layer and returns the network's input")
    if not end.made or returned == names[-1]:
        return None
    if not end.next:
        known = in_words(returned) if returned in ("x", *names) else "something else"
        return _does("MLP.forward", "returns", f"calls every layer and then returns {known}, not {in_words(names[-1])}")
    if returned not in names:
        return None
    if end.next.layer == "linear_layers":
        return _does("MLP.forward", "stops", f"stops after layer {end.next.index} of {this.size.layers}")
    what = f"leaves out {end.next.place}: it returns {in_words(returned)}"
    return _does("MLP.forward", f"leaves out {end.next.layer}", what)


FORWARD = (
    _calls_a_batchnorm_too_many,
    _runs_in_the_wrong_mode,
    _calls_a_layer_again,
    _leaves_out_a_layer,
    _changes_what_it_hands_on,
    _hands_another_output,
    _returns_another_output,
)


# ---------------------------------------------------------------- backward: first the criterion's two calls


def _hands_the_labels_first(step: Step, this: Pass) -> Deviation | None:
    if not step.known or step.entry.handed[:2] != step.due[0].handed[::-1]:
        return None
    what = "calls the criterion with the labels first: it takes the output, then the labels"
    return _does("MLP.backward", "criterion", what, step.entry.place)


def _hands_the_criterion_another_array(step: Step, this: Pass) -> Deviation | None:
    for handed, due in zip(step.entry.handed, step.call.handed) if step.known else ():
        if handed not in (due, UNKNOWN):
            what = f"hands {in_words(handed)} to the criterion, where {in_words(due)} is due"
            return _does("MLP.backward", "criterion", what, step.entry.place)
    return None


def _asks_the_criterion_too_early(step: Step, this: Pass) -> Deviation | None:
    if not step.known or step.place <= step.made:
        return None
    what = "asks for the criterion's derivative before the criterion is called with output and labels"
    return _does("MLP.backward", "criterion", what, step.entry.place)


def _nothing(end: Step, this: Pass) -> Deviation | None:
    return None


CRITERION = (_hands_the_labels_first, _hands_the_criterion_another_array, _asks_the_criterion_too_early, _nothing)


def _asks_for_another_derivative(step: Step, this: Pass) -> Deviation | None:
    """Where the method raised: shapes that don't fit are those of another layer's derivative."""
    if step.entry.call != "raised" or not step.next:
        return None
    asked = next((entry for entry in reversed(step.before) if entry.call.startswith("activations")), None)
    if asked is None or quantity(asked.call).index == step.next.index:
        return None
    due = Quantity("activations", step.next.index, "derivative")
    what = f"asks for {in_words(asked.call)}, where {in_words(str(due))} is due"
    return _does("MLP.backward", "asks", what, asked.place)


def _goes_down_a_layer_again(step: Step, this: Pass) -> Deviation | None:
    if not step.wrong or step.place >= step.made:
        return None
    where = f", where {step.next.place} is due" if step.next else ""
    return _does("MLP.backward", "calls again", f"calls {step.call.name} a second time{where}", step.entry.place)


def _leaves_out_a_batchnorm(step: Step, this: Pass) -> Deviation | None:
    if not step.wrong or not step.next or step.place <= step.made:
        return None
    k = step.call.returns.index
    if (step.next.place, step.handed) != (f"bn_layers[{k}]", f"delta[{k}]"):
        return None
    what = f"leaves out {step.next.place}: {step.call.name} is handed {in_words(step.handed)}"
    return _does("MLP.backward", "leaves out bn_layers", what, step.entry.place)


def _takes_another_order(step: Step, this: Pass) -> Deviation | None:
    if not step.wrong or not step.next or step.place <= step.made:
        return None
    what = f"calls {step.call.name}, where {step.next} is due"
    return _does("MLP.backward", "order", what, step.entry.place)


def _leaves_out_a_derivative(step: Step, this: Pass) -> Deviation | None:
    k = step.call.returns.index
    if not step.wrong or step.call.handed[0] != f"delta[{k}]" or step.handed != _above(k, this):
        return None
    what = f"leaves out activations[{k}]'s derivative: {step.call.name} is handed {in_words(step.handed)}"
    return _does("MLP.backward", "leaves out a derivative", what, step.entry.place)


def _hands_another_delta(step: Step, this: Pass) -> Deviation | None:
    if not step.wrong:
        return None
    k, due = step.call.returns.index, in_words(step.call.handed[0])
    if step.call.handed[0] == f"delta[{k}]":
        due = f"{in_words(_above(k, this))}, times activations[{k}]'s derivative,"
    handed = "something else" if step.handed == UNKNOWN else in_words(step.handed)
    return _does("MLP.backward", "hands", f"hands {handed} to {step.call.name}, where {due} is due", step.entry.place)


def _stops(end: Step, this: Pass) -> Deviation | None:
    if not end.next or this.unset.isdisjoint(replace(end.next, name=name) for name in GRADIENTS):
        return None
    after = f"stops after {end.due[end.made - 1].layer}: it " if end.made else ""
    return _does("MLP.backward", "stops", f"{after}never calls {end.next}")


BACKWARD = (
    _asks_for_another_derivative,
    _goes_down_a_layer_again,
    _leaves_out_a_batchnorm,
    _takes_another_order,
    _leaves_out_a_derivative,
    _hands_another_delta,
    _stops,
)


def _above(k: int | None, this: Pass) -> str:
    """The name of what comes down to layer k."""
    above = (k or 0) + 1
    return f"linear_layers[{above}].backward" if above < this.size.layers else "criterion.derivative"


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
