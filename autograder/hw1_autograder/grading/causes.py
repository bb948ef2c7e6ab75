"""What fails because of what: the faults of each problem, and behind which other it is shown to stand.

A problem stands behind another only where it raised the same exception at the same place, shows the same recognised
mistake or the same deviation, or was run again without that fault and passed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from diagnosis import exceptions, names, recognise
from diagnosis.compare import Mismatch
from diagnosis.recognise import Catalogue, Signature
from grading.experiments import EMPTY, LAYERS, STAGES, ZERO_GRADS, Experiment, Experiments, class_of
from grading.judges import Judge
from grading.run import BESIDES, Verdict
from grading.verdicts import Grading, Result, observed
from homework import cases
from homework.problems import BY_KEY, PROBLEMS
from sandbox.answers import Outcome
from sandbox.layers import BY_CLASS, NETWORK, quantity
from sandbox.wire import Raised

# The methods of layers that a problem of its own is about. Batch norm has none: it is asked by two probes, by itself.
PARTS = {
    problem.key: [function for function in problem.functions if function.partition(".")[0] in BY_CLASS]
    for problem in PROBLEMS
    if problem.exercise not in STAGES
}
ALONE = ("batchnorm_layer", "batchnorm_eval")
OF_BATCHNORM = [problem.key for problem in PROBLEMS if problem.exercise in ("batchnorm_train", "batchnorm_inference")]
SIZES = re.compile(r"is empty|has the length \d+|\d+")  # of one exercise, in a message
IN_PLACE = "in place"  # of a layer that is correct by itself; what else is wrong gives other numbers there


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


@dataclass
class Trial:
    """A failing problem on a network, run with correct layers in the place of those known to be at fault."""

    key: str
    stages: tuple[str, ...]  # the network's methods that it looks at
    layers: frozenset[str]
    first: Experiment
    faults: list[Fault]  # that are known already


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
    return Result(key, grading.perform(key, inputs, deadline), inputs, expected)


def isolated(key: str, upstream: Iterable[str]) -> str:
    """The name under which the catalogue keeps what a mistake gives with correct layers and these methods correct."""
    return "+".join([key, "layers", *upstream])


def of_stage(experiment: Experiment, method: str) -> Signature:
    """What a run shows of one method: its deviation, where it raised, and the quantities that it gives."""
    traces = recognise.signature(experiment.result.outcome, _given_by(method, experiment.result.mismatches))
    if method in experiment.deviations:
        traces["deviation"] = recognise.Trace(experiment.deviations[method].kind, (0.0,) * recognise.SAMPLES)
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
        self.cleared: set[str] = set()  # of the layers' problems that fail, those that pass after a correct forward
        self.batchnorm: list[Fault] = []  # what BatchNorm shows by itself
        self.given: dict[str, list[list[int]]] = {}  # of a network's method: what gives each problem's numbers

    def explain(self) -> None:
        """Give every wrong verdict its hints and its reason, and put behind another what is shown to fail by it."""
        networks = [key for key in self.wrong if self.experiments.possible(key)]
        for key in self.wrong:
            if key not in networks:
                self._of_a_layer(key)
        for key, parts in PARTS.items():
            if key in self.unwritten or (key in self.wrong and key not in self.cleared):
                self.layers.update(dict.fromkeys(parts, key))
        for key in self.unwritten:
            if self.experiments.possible(key) and key not in OF_BATCHNORM:  # those may wait for batch norm alone
                self.methods.setdefault(STAGES[cases.CASES[key][0]][-1], key)
        if networks:
            self._ask_batchnorm()
        for key in networks:
            self._of_a_network(key)
        for key, faults in self.faults.items():
            self._put_into_words(self.wrong[key], faults)

    def _put_into_words(self, verdict: Verdict, faults: list[Fault]) -> None:
        """Put the faults of a problem into words; only the hints of one fault are alternatives."""
        texts = []
        for fault in faults:
            # An exception alone names no mistake: many raise the same, and its place and values are said.
            # One that is a method's gives what the method shows in every problem.
            mistakes = [m for m in fault.mistakes if all(m in given for given in self.given.get(fault.method, []))]
            seen = not fault.place or (fault.kind and not fault.kind.startswith(IN_PLACE))
            hints = self.catalogue.named(mistakes) if seen else []
            further = " or ".join(hint.text for hint in hints if hint not in verdict.hints) if verdict.hints else ""
            texts.append(f"{fault.reason}: {further}" if further else fault.reason)
            verdict.hints = verdict.hints or hints
        if texts:
            verdict.reason = sentences(texts[0], *(f"{BESIDES}{text}" for text in texts[1:]))

    # ------------------------------------------------------------ layers

    def _of_a_layer(self, key: str) -> None:
        """A problem of its own: its derivative or backward is asked again where its forward is wrong as well."""
        verdict, result = self.wrong[key], prestored(self.grading, key, self.references)
        forward = {f"{part.partition('.')[0]}.forward" for part in PARTS[key]}
        below = [other for other in verdict.problem.waits_for if other in {*self.wrong, *self.unwritten}]
        below = [other for other in below if not forward.isdisjoint(PARTS.get(other, ()))]
        if below and result:
            again = self.experiments.isolated(key)
            if again and not again.wrong:
                self.cleared.add(key)
                verdict.behind = below[0]
                return
            if again and again.outcome.ended == "returned":
                result = again
                verdict.reason = self._observed(again)
        self._settle(key, [self._fault(key, result, verdict.reason)])

    def _ask_batchnorm(self) -> None:
        """What BatchNorm shows by itself: in forward, in backward after a correct forward, and in inference."""
        deadline = self.grading.time_for(self.grading.deadline / 5)
        if deadline <= 0:
            return
        for key in ALONE:
            self.grading.run(key, deadline)
        layer, inference = (prestored(self.grading, key, self.references) for key in ALONE)
        if layer is None or inference is None:
            return
        ahead = _given_by("BatchNorm.forward", layer.mismatches)
        if layer.wrong:
            self._add_batchnorm(layer, ahead)
            after = self.experiments.isolated(layer.key)
            if after and layer.outcome.ended == "returned":
                self._add_batchnorm(after, _given_by("BatchNorm.backward", after.mismatches))
        if inference.wrong and layer.outcome.ended == "returned" and not ahead:
            self._add_batchnorm(inference, inference.mismatches)

    def _add_batchnorm(self, result: Result, mismatches: list[Mismatch]) -> None:
        raised = result.outcome.ended == "raised"
        if not raised and not mismatches:
            return
        within = [function for _, _, function in result.outcome.raised.frames]
        backward = "backward" in within or bool(_given_by("BatchNorm.backward", mismatches[:1]))
        method = "BatchNorm.backward" if backward else "BatchNorm.forward"
        self.layers.setdefault(method, result.key)
        text = self._observed(result, mismatches)
        given = {name for name in result.expected if quantity(name, "BatchNorm").method == method}
        traces = recognise.signature(result.outcome, mismatches)
        mistakes = self._mistakes(result.key, traces, given if mismatches else ())
        reason = text if raised else f"BatchNorm by itself: {text}"
        self.batchnorm.append(Fault(reason, mistakes, _place(result.outcome.raised), f"{result.key} {method}"))

    # ------------------------------------------------------------ networks

    def _of_a_network(self, key: str) -> None:
        """Find out whether a problem fails by layers alone, and what the network does wrong beside them."""
        outcome, submission = self.grading.results[key].outcome, self.grading.submission
        returned = any(kind == "NoneType" for name, kind in outcome.types.items() if quantity(name).call == "forward")
        if returned and "MLP.forward" not in self.methods and names.without_value(NETWORK, "forward", submission):
            self._settle(key, [Fault(self.wrong[key].reason, kind="MLP.forward has no value")])
            return
        if exceptions.of_a_file(outcome):
            self._settle(key, [Fault(self.wrong[key].reason, place=_place(self.grading.results[key].outcome.raised))])
            return
        layers, stages = frozenset(self.layers), STAGES[cases.CASES[key][0]]
        faults = self._of_a_missing_list(key)
        first = self.experiments.run(key, layers)
        if first is None:
            result = prestored(self.grading, key, self.references)
            self._settle(key, [self._fault(key, result, self.wrong[key].reason)])
            return
        if stages[-1] == "MLP.step" and not first.passed:
            faults += self._of_zero_grads(key, self.experiments.run(key, LAYERS.union(stages[:-1])))
            first = self.experiments.run(key, layers) or first
        enough = bool(faults) and (first.passed or not self.experiments.given[key])
        faults += self.batchnorm if key in OF_BATCHNORM else []
        if enough:
            self._settle(key, faults)
            return
        trial = Trial(key, stages, layers, first, faults)
        rules = (self._by_layers, self._by_an_unwritten_method, self._by_its_methods, self._by_an_earlier_method)
        if not any(rule(trial) for rule in rules):
            self._settle(key, [self._in_place(trial), *faults])

    def _by_layers(self, trial: Trial) -> bool:
        """With correct layers it passes: the problems that show those layers' faults lead."""
        if not trial.first.passed or not trial.layers:
            return False
        key, verdict = trial.key, self.wrong[trial.key]
        needed = self._needed(key, trial.layers)
        problems = [self.layers[part] for part in needed if self.layers[part] in BY_KEY]
        if trial.faults and any(part.startswith("BatchNorm") for part in needed):
            self._settle(key, trial.faults)
            return True
        leaders = [self.wrong[k].behind or k if k in self.wrong else k for k in problems]
        place = _place(self.grading.results[key].outcome.raised)
        alike = [k for k in leaders if place and any(fault.place == place for fault in self.faults.get(k, []))]
        verdict.behind = min(alike or leaders, key=list(BY_KEY).index, default="")
        if not leaders:  # a file that can't be imported, and has no problem of its own
            self._settle(key, [Fault(verdict.reason, place=place)])
        return True

    def _by_an_unwritten_method(self, trial: Trial) -> bool:
        """The first of its methods that is not written: the problem that asks for it leads."""
        if exceptions.while_built(self.grading.results[trial.key].outcome):
            return False
        unwritten = next((self.methods[method] for method in trial.stages if method in self.methods), "")
        self.wrong[trial.key].behind = unwritten
        return bool(unwritten)

    def _by_its_methods(self, trial: Trial) -> bool:
        stages = range(len(trial.stages))
        faults = [fault for number in stages for fault in self._of_stage(trial, number)]
        if faults:
            self._settle(trial.key, [*faults, *trial.faults])
        return bool(faults)

    def _by_an_earlier_method(self, trial: Trial) -> bool:
        """With a correct method in the place of an earlier problem's it passes: that problem leads."""
        for number in range(1, len(trial.stages)):
            experiment = self.experiments.run(trial.key, trial.layers.union(trial.stages[:number]))
            if experiment and experiment.passed:
                method = trial.stages[number - 1]
                shown = [k for k in self.faults if STAGES.get(cases.CASES[k][0], ("",))[-1] == method]
                self.wrong[trial.key].behind = next((k for k in shown if not self.wrong[k].behind), "")
                break
        return bool(self.wrong[trial.key].behind)

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
        text = "bn_layers is not set where there is no batch norm (num_bn_layers=0): with an empty list this line runs"
        if stays:
            text = "Batch norm is called where there is none (num_bn_layers=0): of an empty list, this is past the end"
        return [Fault(sentences(self.wrong[key].reason, text), place=_place(outcome.raised))]

    def _of_zero_grads(self, key: str, experiment: Experiment | None) -> list[Fault]:
        """If zero_grads changes what is no gradient: from here on, it is replaced by one that does not."""
        if experiment is None or ZERO_GRADS not in experiment.deviations:
            return []
        self.experiments.given[key].add(ZERO_GRADS)
        deviation = experiment.deviations[ZERO_GRADS]
        mistakes = self._mistakes(isolated(key, [ZERO_GRADS]), of_stage(experiment, ZERO_GRADS))
        return [Fault(deviation.sentence, mistakes, kind=f"{ZERO_GRADS} {deviation.kind}")]

    def _needed(self, key: str, layers: frozenset[str]) -> list[str]:
        """Of the layers with whose stand-ins a problem passes, those without which it fails."""
        activations = [str(name) for name in self.references.case(key)[0]["activations"]]
        others = {part for part in layers if _is_activation(part) and part.partition(".")[0] not in activations}
        for left_out in [others, *({part} for part in sorted(layers))]:
            if left_out and left_out < layers:
                without = self.experiments.run(key, layers - left_out)
                if without and without.passed:
                    layers -= left_out
        return sorted(layers)

    def _of_stage(self, trial: Trial, number: int) -> list[Fault]:
        """What one method of the network does wrong, with correct layers, and correct methods before it."""
        key, method = trial.key, trial.stages[number]
        experiment = self.experiments.of_method(key, trial.stages, number)
        if experiment is None or experiment.passed:
            return []
        outcome, deviation = experiment.result.outcome, experiment.deviations.get(method)
        if deviation and self._harmless(method, self.experiments.run(key, experiment.parts - {"Identity"})):
            return []
        mismatches = _given_by(method, experiment.result.mismatches)
        raised = outcome.ended == "raised" and experiment.raised_in in (method, *([""] if not number else []))
        if raised and outcome.raised.type == "Broken":  # its import ended an earlier process
            return [Fault(self.wrong[key].reason, place=_where(self.grading.results[key].outcome))]
        texts = []
        if deviation and not (method == "MLP.step" and mismatches):
            texts.append(deviation.sentence if raised else self._at(deviation.place) + deviation.sentence)
        if raised:
            texts.append(self._observed(experiment.result))
        elif mismatches and not texts:
            texts.append(self._observed(experiment.result, mismatches))
        if not texts:
            return []
        mistakes = self._of_method(trial, number, experiment)
        if method != "MLP.step":  # which moves linear layers and batch norms by lines of their own
            self.given.setdefault(method, []).append(mistakes)
        kind = f"{method} {deviation.kind if deviation else _relation(texts[0])}" if deviation or not raised else ""
        return [Fault(sentences(*texts), mistakes, _place(outcome.raised) if raised else [], kind, method)]

    def _of_method(self, trial: Trial, number: int, experiment: Experiment) -> list[int]:
        """The mistakes that give what a method shows with correct layers and, where that tells, with the student's."""
        method, first = trial.stages[number], trial.first
        clean = self._mistakes(isolated(trial.key, trial.stages[:number]), of_stage(experiment, method))
        plain = self._mistakes(trial.key, recognise.signature(first.result.outcome, first.result.mismatches))
        mistakes = [mistake for mistake in clean if mistake in plain] or clean
        return mistakes or (plain if first.raised_in in ("", method) else [])

    def _harmless(self, method: str, experiment: Experiment | None) -> bool:
        """Whether a method that deviates gives what it should, once an Identity passes on what it is handed."""
        if experiment is None or experiment.raised_in == method or method in experiment.masked:
            return False
        return experiment.forwarded and not _given_by(method, experiment.result.mismatches)

    def _in_place(self, trial: Trial) -> Fault:
        """Every method does as it should beside correct layers: one is at fault in its place, or what is kept."""
        verdict = self.wrong[trial.key]
        fault = self._fault(trial.key, trial.first.result, verdict.reason)
        experiment = self.experiments.run(trial.key, LAYERS)
        differences = experiment.result.outcome.log.differences if experiment and experiment.passed else ()
        for _, call, attribute in differences:
            asked = quantity(call)
            part = f"{class_of(asked, trial.first.result.inputs)}.{asked.name}"
            if part in self.layers:  # which the problem does not fail by
                continue
            what = str(asked._replace(name=attribute)) if attribute.islower() else call
            silent = names.without_value(
                class_of(asked, trial.first.result.inputs), asked.name, self.grading.submission
            )
            text = (
                silent
                or f"With right layers in the place of yours it passes; yours first goes wrong in {part} ({what})"
            )
            fault.reason = sentences(fault.reason, text)
            fault.kind = f"{IN_PLACE} {asked.layer}.{asked.name}"
            break
        return fault

    # ------------------------------------------------------------ words

    def _fault(self, key: str, result: Result | None, reason: str) -> Fault:
        if result is None:
            return Fault(reason)
        traces = recognise.signature(result.outcome, result.mismatches)
        mistakes = self._mistakes(key, traces)
        if not mistakes and PARTS.get(key):
            mistakes, where = self._cancelled(key, traces)
            reason += f"; in {where}, which passes, another fault cancels it" if where else ""
        return Fault(reason, mistakes, _where(result.outcome))

    def _cancelled(self, key: str, traces: Signature) -> tuple[list[int], str]:
        """Of a layer's problem: mistakes that a passed problem speaks against, but not with the layer correct."""
        alone = self.passed - {other for other in self.passed if self.experiments.possible(other)}
        for mistake in self.catalogue.candidates(key, traces, alone):
            against = sorted(self.passed & self.catalogue.signatures[mistake].keys(), key=list(BY_KEY).index)
            again = self.experiments.run(against[0], frozenset(PARTS[key])) if against else None
            if again and not again.passed:
                return self.catalogue.candidates(key, traces, alone), BY_KEY[against[0]].name
        return [], ""

    def _at(self, place: str) -> str:
        """A line of the submission, with its code, to begin a sentence with."""
        file, _, line = place.rpartition(":")
        code = self.grading.submission.line(file, int(line or 0))
        return f"{file}, line {line}: `{code}`: " if code else ""

    def _mistakes(self, key: str, traces: Signature, among: Collection[str] = ()) -> list[int]:
        return self.catalogue.candidates(key, traces, self.passed, among)

    def _observed(self, result: Result, mismatches: list[Mismatch] | None = None) -> str:
        if result.outcome.ended == "raised":
            return exceptions.exception(result.outcome, self.grading.submission, result.inputs)
        mismatches = result.mismatches if mismatches is None else mismatches
        return observed(result, mismatches, self.grading.submission) if mismatches else ""

    def _settle(self, key: str, faults: list[Fault]) -> None:
        """Give a problem its faults, save those that an earlier one shows; without others it stands behind that."""
        verdict = self.wrong[key]
        fresh, shown = [], ""
        for fault in faults:
            shows_it = ((k, known) for k, others in self.faults.items() for known in others if known.same(fault))
            earlier, known = next(shows_it, ("", fault))
            if not earlier:
                fresh.append(fault)
                continue
            shown = shown or self.wrong[earlier].behind or earlier
            # What is seen twice is a mistake that gives both.
            both = [mistake for mistake in known.mistakes if mistake in fault.mistakes]
            refuted = known.kind and fault.kind == known.kind and not known.kind.startswith(IN_PLACE)
            known.mistakes = both if both or refuted else known.mistakes
        self.faults[key] = fresh
        if not fresh and shown:
            verdict.behind = shown


def sentences(*texts: str) -> str:
    """Sentences in a row, each but the last with its full stop."""
    return " ".join([*(text if text.endswith("?") else f"{text}." for text in texts[:-1]), *texts[-1:]])


def _relation(text: str) -> str:
    """What a sentence on values tells of the first quantity, without one network's numbers; or the whole sentence."""
    return text if " is wrong" in text else re.sub(r"-?\d[\d.e+-]*", "#", text.partition(";")[0])


def _given_by(method: str, mismatches: list[Mismatch]) -> list[Mismatch]:
    return [mismatch for mismatch in mismatches if mismatch.quantity.method == method]


def _is_activation(part: str) -> bool:
    return BY_CLASS[part.partition(".")[0]].attribute == "activations"


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
    return [raised.type, raised.frames[-1:], "" if raised.frames else SIZES.sub("", raised.message)]
