"""What fails because of what: the faults of each problem, and behind which other it is shown to stand.

A problem stands behind another only where it raised the same exception at the same place, shows the same recognised
mistake or the same deviation, or was run again without that fault and passed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from diagnosis import exceptions, recognise
from diagnosis.compare import Mismatch
from diagnosis.recognise import Catalogue, Signature
from grading.experiments import EMPTY, LAYERS, ZERO_GRADS, Experiment, Experiments, class_of
from grading.judges import Judge
from grading.run import BESIDES, Verdict
from grading.verdicts import Grading, Result, evidence
from homework import cases
from homework.problems import BY_KEY
from sandbox.answers import Outcome
from sandbox.wire import Raised

# The layer's method that a problem of its own is about. Batch norm has none: it is asked by two probes, by itself.
PARTS = {
    f"{key}_{method}": f"{layer}.{method}"
    for key, layer, methods in (
        ("sigmoid", "Sigmoid", ("forward", "derivative")),
        ("tanh", "Tanh", ("forward", "derivative")),
        ("relu", "ReLU", ("forward", "derivative")),
        ("loss", "SoftmaxCrossEntropy", ("forward", "derivative")),
        ("linear", "Linear", ("forward", "backward")),
    )
    for method in methods
}
ALWAYS = ("Linear", "SoftmaxCrossEntropy")  # in every network
ALONE = ("batchnorm_layer", "batchnorm_eval")
OF_BATCHNORM = ("batchnorm_train", "batchnorm_inference")
# The methods of the network that an exercise looks at, in the order in which each builds on those before.
STAGES = {
    "mlp_forward": ("MLP.forward",),
    "mlp_backward": ("MLP.forward", "MLP.backward"),
    "mlp_steps": ("MLP.forward", "MLP.backward", "MLP.step"),
    "batchnorm_train": ("MLP.forward", "MLP.backward"),
    "batchnorm_inference": ("MLP.forward", "MLP.backward", "MLP.step"),
}
IN_PLACE = "in place"  # of a layer that is right by itself; what else is wrong gives other numbers there
BACKWARD = ("backward(delta)", "dgamma", "dbeta")  # of the quantities of batch norm, those that its backward gives


@dataclass
class Fault:
    """One thing that is wrong: in words, and by what it is known again in another problem."""

    reason: str
    mistakes: list[int] = field(default_factory=list)  # of the catalogue, those that give these numbers
    place: list[Any] = field(default_factory=list)  # where it raised
    kind: str = ""  # of a network's deviation
    method: str = ""  # of the network, if it is one's

    def same(self, other: Fault) -> bool:
        shared = {*self.mistakes} & {*other.mistakes}
        explained = shared in ({*self.mistakes}, {*other.mistakes})  # whatever the one is gives the other as well
        pairs = ((self.place, other.place), (self.kind, other.kind))
        return bool(shared and explained) or any(mine and mine == theirs for mine, theirs in pairs)


def signature(grading: Grading, key: str, references: Judge) -> Signature:
    """The signature of a case on the prestored inputs, which are those that the catalogue knows."""
    result = prestored(grading, key, references)
    return recognise.signature(result.outcome, result.mismatches) if result else {}


def prestored(grading: Grading, key: str, references: Judge) -> Result | None:
    """The result of a case on the prestored inputs: the graded one, or another run where a solution judged."""
    result = grading.results.get(key)
    if result is None or grading.judge is references:
        return result
    inputs, expected = references.case(key)
    deadline = grading.time_for(grading.deadline / 5)
    if deadline <= 0 or result.outcome.ended not in ("returned", "raised"):
        return None
    return Result(grading.perform(key, inputs, deadline), inputs, expected)


def isolated(key: str, upstream: Iterable[str]) -> str:
    """The name under which the catalogue keeps what a mistake gives where all layers, and these methods, are right."""
    return "+".join([key, "layers", *upstream])


def of_stage(found: Experiment, method: str) -> Signature:
    """What a run shows of one method: its deviation, where it raised, and the quantities that it gives."""
    mismatches = [mismatch for mismatch in found.result.mismatches if _method(mismatch.quantity) == method]
    traces = recognise.signature(found.result.outcome, mismatches)
    if method in found.deviations:
        traces["deviation"] = recognise.Trace(found.deviations[method].kind, (0.0,) * recognise.SAMPLES)
    return traces


class Causes:
    """Explains the verdicts of a grading: hints, reasons, and what stands behind what."""

    def __init__(self, grading: Grading, catalogue: Catalogue, references: Judge, traces: str) -> None:
        self.grading, self.catalogue, self.references = grading, catalogue, references
        self.experiments = Experiments(grading, references, traces)
        verdicts = grading.verdicts
        self.passed = {key for key, verdict in verdicts.items() if verdict.status == "passed"}
        self.unwritten = {key for key, verdict in verdicts.items() if verdict.status == "not started"}
        self.wrong: dict[str, Verdict] = {
            key: verdict
            for key, verdict in verdicts.items()
            if key not in self.passed | self.unwritten and key in grading.results
        }
        self.faults: dict[str, list[Fault]] = {}  # of each wrong problem
        self.layers: dict[str, str] = {}  # a layer's method at fault: the problem that shows it, or the probe
        self.methods: dict[str, str] = {}  # a network's method still to be written, and the problem that asks for it
        self.cleared: set[str] = set()  # of the layers' problems that fail, those that pass after a right forward
        self.batchnorm: list[Fault] = []  # what BatchNorm shows by itself
        self.given: dict[str, list[list[int]]] = {}  # of a network's method: what gives each problem's numbers

    def explain(self) -> None:
        """Give every wrong verdict its hints and its reason, and put behind another what is shown to fail by it."""
        networks = [key for key in self.wrong if self.experiments.possible(key)]
        for key in self.wrong:
            if key not in networks:
                self._of_a_layer(key)
        for key, part in PARTS.items():
            if key in self.unwritten or (key in self.wrong and key not in self.cleared):
                self.layers[part] = key
        for key in self.unwritten:
            if self.experiments.possible(key) and key not in OF_BATCHNORM:  # those may wait for batch norm alone
                self.methods.setdefault(STAGES[cases.CASES[key][0]][-1], key)
        if networks:
            self._ask_batchnorm()
        for key in networks:
            self._of_a_network(key)
        for key, faults in self.faults.items():
            self._tell(self.wrong[key], faults)

    def _tell(self, verdict: Verdict, faults: list[Fault]) -> None:
        """Put the faults of a problem into words; only the hints of one fault are alternatives."""
        said = []
        for fault in faults:
            # An exception alone names no mistake: many raise the same, and its place and values are said.
            # One that is a method's gives what the method shows in every problem.
            mistakes = [m for m in fault.mistakes if all(m in given for given in self.given.get(fault.method, []))]
            seen = not fault.place or (fault.kind and not fault.kind.startswith(IN_PLACE))
            hints = self.catalogue.named(mistakes) if seen else []
            further = " or ".join(hint.text for hint in hints if hint not in verdict.hints) if verdict.hints else ""
            said.append(f"{fault.reason}: {further}" if further else fault.reason)
            verdict.hints = verdict.hints or hints
        if said:
            verdict.reason = sentences(said[0], *(f"{BESIDES}{text}" for text in said[1:]))

    # ------------------------------------------------------------ layers

    def _of_a_layer(self, key: str) -> None:
        """A problem of its own: its derivative or backward is asked again where its forward is wrong as well."""
        verdict, result = self.wrong[key], prestored(self.grading, key, self.references)
        below = next((other for other in verdict.problem.waits_for if other in {*self.wrong, *self.unwritten}), "")
        if below and result:
            again = self.experiments.isolated(key)
            if again and not again.wrong:
                self.cleared.add(key)
                verdict.behind = below
                return
            if again and again.outcome.ended == "returned":
                result = again
                verdict.reason = self._said(key, again)
        self._settle(key, [self._fault(key, result, verdict.reason)])

    def _ask_batchnorm(self) -> None:
        """What BatchNorm shows by itself: in forward, in backward after a right forward, and in inference."""
        deadline = self.grading.time_for(self.grading.deadline / 5)
        if deadline <= 0:
            return
        for key in ALONE:
            self.grading.run(key, deadline)
        layer, inference = (prestored(self.grading, key, self.references) for key in ALONE)
        if layer is None or inference is None:
            return
        if layer.wrong:
            ahead = [m for m in layer.mismatches if m.quantity not in BACKWARD]
            self._add_batchnorm(ALONE[0], layer, ahead)
            after = self.experiments.isolated(ALONE[0])
            if after and layer.outcome.ended == "returned":
                self._add_batchnorm(ALONE[0], after, [m for m in after.mismatches if m.quantity in BACKWARD])
        trained = layer.outcome.ended == "returned" and not {m.quantity for m in layer.mismatches} - {*BACKWARD}
        if inference.wrong and trained:
            self._add_batchnorm(ALONE[1], inference, inference.mismatches)

    def _add_batchnorm(self, key: str, result: Result, mismatches: list[Mismatch]) -> None:
        if result.outcome.ended == "raised" or mismatches:
            within = [function for _, _, function in result.outcome.raised.frames]
            backward = "backward" in within or (mismatches and mismatches[0].quantity in BACKWARD)
            self.layers.setdefault("BatchNorm.backward" if backward else "BatchNorm.forward", key)
            said = self._said(key, result, mismatches)
            reason = said if result.outcome.ended == "raised" else f"BatchNorm by itself: {said}"
            given = {name for name in result.expected if (name in BACKWARD) == bool(backward)}
            found = recognise.signature(result.outcome, mismatches)
            mistakes = self._mistakes(key, found, given if mismatches else ())
            kind = f"{key} {'backward' if backward else 'forward'}"
            self.batchnorm.append(Fault(reason, mistakes, _place(result.outcome.raised), kind))

    # ------------------------------------------------------------ networks

    def _of_a_network(self, key: str) -> None:
        """Find out whether a problem fails by layers alone, and what the network does wrong beside them."""
        verdict, layers = self.wrong[key], frozenset(self.layers)
        own = self._of_a_missing_list(key)
        first = self.experiments.run(key, layers)
        if first is None:
            self._settle(key, [self._fault(key, prestored(self.grading, key, self.references), verdict.reason)])
            return
        stages = STAGES[cases.CASES[key][0]]
        if stages[-1] == "MLP.step" and not first.passed:
            own += self._of_zero_grads(key, self.experiments.run(key, frozenset([*LAYERS, *stages[:-1]])))
            first = self.experiments.run(key, layers) or first
        told, own = bool(own), [*own, *(self.batchnorm if key in OF_BATCHNORM else [])]
        if told and (first.passed or not self.experiments.given[key]):
            self._settle(key, own)
            return
        if first.passed and layers:
            needed = self._needed(key, layers)
            problems = [self.layers[part] for part in needed if self.layers[part] in BY_KEY]
            if own and any(part.startswith("BatchNorm") for part in needed):
                self._settle(key, own)
            else:
                leaders = [self.wrong[k].behind or k if k in self.wrong else k for k in problems]
                place = _place(self.grading.results[key].outcome.raised)
                alike = [k for k in leaders if place and any(f.place == place for f in self.faults.get(k, []))]
                verdict.behind = min(alike or leaders, key=list(BY_KEY).index, default="")
                if not leaders:  # a file that can't be imported, and has no problem of its own
                    self._settle(key, [Fault(verdict.reason, place=place)])
            return
        if unwritten := next((self.methods[method] for method in stages if method in self.methods), ""):
            verdict.behind = unwritten
            return
        faults = [fault for number in range(len(stages)) for fault in self._of_stage(key, stages, number, first)]
        if not faults:
            verdict.behind = self._by_upstream(key, stages, layers)
            if verdict.behind:
                return
            faults = [self._in_place(key, first)]
        self._settle(key, [*faults, *own])

    def _of_a_missing_list(self, key: str) -> list[Fault]:
        """Where bn_layers is missing without batch norm: not set, or used where there is none? An empty list tells."""
        outcome = self.grading.results[key].outcome
        if key in OF_BATCHNORM or "bn_layers" not in exceptions.code_of(outcome, self.grading.submission):
            return []
        self.experiments.given[key] = {EMPTY}
        again = self.experiments.run(key, frozenset(self.layers))
        raised = again.result.outcome.raised if again else outcome.raised
        stays = raised.frames[-1:] == outcome.raised.frames[-1:]
        if stays:
            self.experiments.given[key].clear()
        if stays and raised.type != "IndexError":
            return []
        said = "bn_layers is not set where there is no batch norm (num_bn_layers=0): with an empty list this line runs"
        if stays:
            said = "Batch norm is called where there is none (num_bn_layers=0): of an empty list, this is past the end"
        return [Fault(sentences(self.wrong[key].reason, said), place=_place(outcome.raised))]

    def _of_zero_grads(self, key: str, found: Experiment | None) -> list[Fault]:
        """If zero_grads changes what is no gradient: from here on, it is replaced by one that does not."""
        if found is None or ZERO_GRADS not in found.deviations:
            return []
        self.experiments.given[key].add(ZERO_GRADS)
        deviation = found.deviations[ZERO_GRADS]
        mistakes = self._mistakes(isolated(key, [ZERO_GRADS]), of_stage(found, ZERO_GRADS))
        return [Fault(deviation.sentence, mistakes, kind=f"{ZERO_GRADS} {deviation.kind}")]

    def _needed(self, key: str, layers: frozenset[str]) -> list[str]:
        """Of the layers with whose stand-ins a problem passes, those without which it fails."""
        activations = {str(name) for name in self.references.case(key)[0]["activations"]}
        others = {part for part in layers if part in PARTS.values() and not part.startswith((*activations, *ALWAYS))}
        for left_out in [others, *({part} for part in sorted(layers))]:
            if left_out and left_out < layers:
                without = self.experiments.run(key, layers - left_out)
                if without and without.passed:
                    layers -= left_out
        return sorted(layers)

    def _of_stage(self, key: str, stages: tuple[str, ...], number: int, first: Experiment) -> list[Fault]:
        """What one method of the network does wrong, with right layers, and right methods before it."""
        method, upstream = stages[number], stages[:number]
        found = self.experiments.of_method(key, stages, number)
        if found is None or found.passed:
            return []
        result, deviation = found.result, found.deviations.get(method)
        if deviation and self._harmless(method, self.experiments.run(key, found.parts - {"Identity"})):
            return []
        mismatches = [m for m in result.mismatches if _method(m.quantity) == method]
        raised = result.outcome.ended == "raised" and found.raised_in in (method, *([""] if not number else []))
        said = []
        if deviation and not (method == "MLP.step" and mismatches):
            said.append(deviation.sentence if raised else self._at(deviation.place) + deviation.sentence)
        if raised and result.outcome.raised.type == "Broken":  # its import ended an earlier process
            return [Fault(self.wrong[key].reason, place=_where(self.grading.results[key].outcome))]
        if raised:
            said.append(self._said(key, result))
        elif mismatches and not said:
            said.append(self._said(key, result, mismatches))
        if not said:
            return []
        clean = self._mistakes(isolated(key, upstream), of_stage(found, method))
        plain = self._mistakes(key, recognise.signature(first.result.outcome, first.result.mismatches))
        mistakes = [mistake for mistake in clean if mistake in plain] or clean
        if not mistakes and first.raised_in in ("", method):
            mistakes = plain
        if method != "MLP.step":  # which moves linear layers and batch norms by lines of their own
            self.given.setdefault(method, []).append(mistakes)
        kind = f"{method} {deviation.kind if deviation else _relation(said[0])}" if deviation or not raised else ""
        return [Fault(sentences(*said), mistakes, _place(result.outcome.raised) if raised else [], kind, method)]

    def _harmless(self, method: str, found: Experiment | None) -> bool:
        """Whether a method that deviates gives what it should, once an Identity passes on what it is handed."""
        if found is None or found.raised_in == method or method in found.masked:
            return False
        return found.forwarded and not any(_method(m.quantity) == method for m in found.result.mismatches)

    def _by_upstream(self, key: str, stages: tuple[str, ...], layers: frozenset[str]) -> str:
        """The earlier problem whose method is at fault, if with a right one in its place this problem passes."""
        for number in range(1, len(stages)):
            found = self.experiments.run(key, layers | frozenset(stages[:number]))
            if found and found.passed:
                of_method = [k for k in self.faults if STAGES.get(cases.CASES[k][0], ("",))[-1] == stages[number - 1]]
                return next((k for k in of_method if not self.wrong[k].behind), "")
        return ""

    def _in_place(self, key: str, first: Experiment) -> Fault:
        """Every method does as it should beside right layers: one is at fault in its place, or what is kept."""
        verdict = self.wrong[key]
        fault = self._fault(key, first.result, verdict.reason)
        found = self.experiments.run(key, frozenset(LAYERS))
        differences = found.result.outcome.log.differences if found and found.passed else ()
        for _, call, quantity in differences:
            part = f"{class_of(call, first.result.inputs)}.{call.rpartition('.')[2]}"
            if part in self.layers:  # which the problem does not fail by
                continue
            what = f"{call.rpartition('.')[0]}.{quantity}" if quantity.islower() else call
            told = f"With right layers in the place of yours it passes; yours first goes wrong in {part} ({what})"
            fault.reason = sentences(fault.reason, told)
            fault.kind = re.sub(r"\[\d+\]", "", f"{IN_PLACE} {call}")
            break
        return fault

    # ------------------------------------------------------------ words

    def _fault(self, key: str, result: Result | None, reason: str) -> Fault:
        if result is None:
            return Fault(reason)
        found, outcome = recognise.signature(result.outcome, result.mismatches), result.outcome
        mistakes = self._mistakes(key, found)
        if not mistakes and key in PARTS:
            mistakes, where = self._cancelled(key, found)
            reason += f"; in {where}, which passes, another fault cancels it" if where else ""
        return Fault(reason, mistakes, _where(outcome))

    def _cancelled(self, key: str, found: Signature) -> tuple[list[int], str]:
        """Of a layer's problem: mistakes that a passed problem speaks against, which fails once the layer is right."""
        alone = self.passed - {other for other in self.passed if self.experiments.possible(other)}
        for mistake in self.catalogue.candidates(key, found, alone):
            against = sorted(self.passed & self.catalogue.signatures[mistake].keys(), key=list(BY_KEY).index)
            again = self.experiments.run(against[0], frozenset({PARTS[key]})) if against else None
            if again and not again.passed:
                return self.catalogue.candidates(key, found, alone), BY_KEY[against[0]].name
        return [], ""

    def _at(self, place: str) -> str:
        """A line of the submission, with its code, to begin a sentence with."""
        file, _, line = place.rpartition(":")
        lines = self.grading.submission.source(file)
        code = lines[int(line) - 1].strip()[:100] if line and 0 < int(line) <= len(lines) else ""
        return f"{file}, line {line}: `{code}`: " if code else ""

    def _mistakes(self, key: str, found: Signature, among: Collection[str] = ()) -> list[int]:
        return self.catalogue.candidates(key, found, self.passed, among)

    def _said(self, key: str, result: Result, mismatches: list[Mismatch] | None = None) -> str:
        if result.outcome.ended == "raised":
            return exceptions.exception(result.outcome, self.grading.submission, result.inputs)
        mismatches = result.mismatches if mismatches is None else mismatches
        return evidence(key, result, mismatches, self.grading.submission) if mismatches else ""

    def _settle(self, key: str, faults: list[Fault]) -> None:
        """Give a problem its faults, save those that an earlier one shows; without others it stands behind that."""
        verdict = self.wrong[key]
        fresh, shown = [], ""
        for fault in faults:
            again = next(((k, one) for k, others in self.faults.items() for one in others if one.same(fault)), None)
            if again is None:
                fresh.append(fault)
                continue
            earlier, one = again
            shown = shown or self.wrong[earlier].behind or earlier
            # What is seen twice is a mistake that gives both.
            both = [mistake for mistake in one.mistakes if mistake in fault.mistakes]
            refuted = one.kind and fault.kind == one.kind and not one.kind.startswith(IN_PLACE)
            one.mistakes = both if both or refuted else one.mistakes
        self.faults[key] = fresh
        if not fresh and shown:
            verdict.behind = shown


def sentences(*texts: str) -> str:
    """Sentences in a row, each but the last with its full stop."""
    return " ".join([*(text if text.endswith("?") else f"{text}." for text in texts[:-1]), *texts[-1:]])


def _relation(said: str) -> str:
    """What a sentence on values tells of the first quantity, without one network's numbers; or the whole sentence."""
    return said if " is wrong" in said else re.sub(r"-?\d[\d.e+-]*", "#", said.partition(";")[0])


def _method(quantity: str) -> str:
    """The network's method that gives a quantity."""
    if "after step" in quantity or quantity.endswith((".gamma", ".beta")):
        return "MLP.step"
    return "MLP.backward" if quantity.endswith((".dW", ".db", ".dgamma", ".dbeta")) else "MLP.forward"


def _where(outcome: Outcome) -> list[Any]:
    """Where an exercise raised, hung or died, as far as that is known."""
    if outcome.ended in ("timeout", "died") and (outcome.detail or outcome.stage):
        return outcome.stage.split() or [outcome.ended, re.sub(r", line \d+", "", outcome.detail)]  # a loop has lines
    return _place(outcome.raised)


def _place(raised: Raised) -> list[Any]:
    """What was raised where; the message, without one exercise's sizes, counts only where there is no place."""
    if not raised.type:
        return []
    if raised.type == "Broken":  # the import that ended an earlier process
        return ["import", raised.message]
    if raised.type == "ModuleNotFoundError":  # whoever imports it
        return [raised.type, raised.module]
    return [raised.type, raised.frames[-1:], "" if raised.frames else re.sub(r"\d+", "", raised.message)]
