"""From names to objects: what a configuration builds, and what fills every argument of it.

plan = TrainingPlan.of(config)    plan.source -> plan.model -> plan.loss -> plan.module(settings)
print(plan.explain())             argument, value, and whether it is a default, configured or filled by the run
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import cached_property
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from zoo.composition.settings import settings_of
from zoo.data.source import Source
from zoo.errors import ConfigError, did_you_mean
from zoo.model import Model, build
from zoo.outputs import require_names
from zoo.registry import INJECTED, registry
from zoo.spec import ModelSpec
from zoo.training.adapters import add_adapters, tune_settings
from zoo.training.arguments import Argument, list_arguments, name_and_arguments, of_data, of_target
from zoo.training.augment import batch_fields, shift_step
from zoo.training.evolution import AugmentationSettings, allowed_augmentation
from zoo.training.fine_tuning import freeze, published_encoder, published_model, take_over
from zoo.training.loader import make_loaders
from zoo.training.loss import Term, Terms
from zoo.training.optimizer import OptimizerSettings
from zoo.training.schedule import flat_schedules
from zoo.training.settings import TrainerSettings, member_seeds
from zoo.training.task_sizes import task_arguments

if TYPE_CHECKING:
    from zoo.evaluation.result import Evaluation
    from zoo.training.data_summary import DataSummary
    from zoo.training.module import TrainingModule

STRANDS = ("auto", "none", "augmented", "conjoined", "tied")

Config = Mapping[str, Any]


class TrainingPlan:
    """Data, model and loss of a configuration; each is built when it is first asked for, after those it depends on.

    config: as `zoo.compose([...])` makes it.  source: takes the place of the configured data.
    arguments: {part: {argument: Argument}} of what was built so far, parts as the configuration calls them
        (data, encoder, heads.<target>, objectives.<term>).
    """

    def __init__(self, config: Config, source: Source | None = None):
        self.config = config
        self.arguments: dict[str, dict[str, Argument]] = {}
        self._names: dict[str, str] = {}
        self.strand_reason = ""
        if source is not None:
            self.source = source

    @classmethod
    def of(cls, config: Config, source: Source | None = None) -> TrainingPlan:
        """The plan of a configuration; nothing is built yet."""
        return cls(config, source)

    @cached_property
    def source(self) -> Source:
        """The data source; it gets the genome and the run's seed where it takes them and sets none itself."""
        run = {"genome": self.config.get("genome"), "seed": self.config.get("seed", 0)}
        name, arguments = self._resolve("data", "data", self.config.get("data") or {}, run)
        source = registry().get("data", name)(**arguments)
        if not source.targets:
            raise ConfigError(f"data {name!r} has no target: there is nothing to train on")
        require_names(source.targets)
        return source

    @cached_property
    def published(self) -> Model | None:
        """The published model that `init` names."""
        return published_model(self.config)

    @cached_property
    def strand(self) -> str:
        """What the configuration says, and where it says auto, what the data do or the published encoder needs."""
        strand = self.config.get("strand", "none")
        if strand not in STRANDS:
            raise ConfigError(f"strand {strand!r} is not known" + did_you_mean(strand, STRANDS))
        if strand != "auto":
            return strand
        if self.published is not None and self.published.encoder.strand == "equivariant":
            return "tied"
        from zoo.training.strand_choice import choose_strand

        chosen, self.strand_reason = choose_strand(self.source)
        return chosen

    @cached_property
    def model(self) -> Model:
        """A model with fresh weights, or with those of the published model that `init` names, where they fit.

        strand: tied gives the encoder `tied=true`, conjoined averages the predictions over both strands.
        init: the published encoder is taken whole, arguments and weights; a head is taken over where target,
            arguments and field agree, the other heads are new.
        """
        config, published, source, strand = self.config, self.published, self.source, self.strand
        encoder = self._encoder(strand)
        built = registry().build("encoder", *name_and_arguments(encoder, "encoder"))
        grid = built.grid(source.input_length)
        embedding = {"in_channels": built.out_channels, "resolution": grid.bin_size}
        heads = {}
        for target, field in source.targets.items():
            entry = (config.get("heads") or {}).get(target) or config.get("head") or {}
            run = {**of_target(field), **embedding, **self._label_scales.get(target, {})}
            kind, arguments = self._resolve(f"heads.{target}", "head", entry, run)
            heads[target] = {"name": kind, **arguments}
        for target in config.get("heads") or {}:
            if target not in heads:
                raise ConfigError(f"heads.{target} predicts no target of the data" + did_you_mean(target, heads))
        spec = ModelSpec(
            name=str(config.get("name", "run")),
            encoder=encoder,
            heads=heads,
            input_length=source.input_length,
            n_encoding=config.get("n_encoding", "zero") if published is None else published.spec.n_encoding,
            conjoined=strand == "conjoined",
            versions={name: version(name) for name in ("zoo-core", "torch", "lightning", "numpy")},
        )
        model = build(spec)
        if published is not None:
            take_over(model, published)
        if tune := tune_settings(config):
            add_adapters(model.encoder, tune)
        return model

    @cached_property
    def loss(self) -> Terms:
        """The objectives; the model's spec learns the activations that they name.

        `objectives` are further terms, or a head's own where one of them fits that head; every head without one
        gets `objective`.  In an entry, `head` defaults to the entry's name where that is a head.
        """
        heads, terms = list(self.model.heads), {}
        for name, entry in (self.config.get("objectives") or {}).items():
            entry = dict(entry)
            coefficient = float(entry.pop("coefficient", 1.0))
            head = entry.pop("head", None) or (name if name in heads else None)
            if head is not None and head not in heads:
                raise ConfigError(f"objectives.{name}.head is {head!r}" + did_you_mean(head, heads))
            if head is None and len(heads) == 1:
                head = heads[0]
            terms[name] = self._term(f"objectives.{name}", entry, head, coefficient)
        fitted = {term.head for term in terms.values() if term.is_main}
        for head in heads:
            if head not in fitted:
                if head in terms:
                    raise ConfigError(
                        f"objectives.{head} does not fit head {head!r} to its target: give the entry another name, "
                        f"with head={head}"
                    )
                terms[head] = self._term(f"objectives.{head}", self.config.get("objective") or {}, head, 1.0)
        loss = Terms(terms, dict(flat_schedules(self.config.get("schedules"))))
        self.model.spec = self.model.spec.replace(activation=loss.activation)
        return loss

    def module(self, settings: TrainerSettings) -> TrainingModule:
        """The training step, with its loaders."""
        # These need Lightning; a plan alone does not.
        from zoo.training.module import TrainingModule, micro_batch_rows, rows_are_independent
        from zoo.training.monitor import make_monitor

        config, loss = self.config, self.loss
        fields = batch_fields(self.source.inputs, self.source.targets)
        augmentation = settings_of(AugmentationSettings, "augmentation", config.get("augmentation"))
        seed, on_cpu = int(config.get("seed", 0)), settings.accelerator == "cpu"
        train, validation = make_loaders(
            self.source,
            settings,
            seed=seed,
            reverse=self.strand in ("augmented", "conjoined"),
            step=shift_step(fields),
            augmentation=allowed_augmentation(augmentation, fields),
            mix_lengths=rows_are_independent(self.model, loss.additive),
        )
        rows, longest = settings.micro_batch, int(train.examples.lengths.max())
        if rows == "auto" or not loss.additive:
            rows = micro_batch_rows(self.model, settings.batch_size, longest, on_cpu, loss.additive)
        return TrainingModule(
            self.model,
            loss,
            optimizer=settings_of(OptimizerSettings, "optimizer", config.get("optimizer")),
            fields=fields,
            train=train,
            validation=validation,
            micro_rows=rows,
            total_steps=settings.max_epochs * len(train),
            seed=seed,
            gradient_clip=settings.gradient_clip,
            in_eval=freeze(self.model, config),
            monitor=make_monitor(settings.monitor, self.source.targets, self.model.spec),
        )

    def evaluate(self, model: Model) -> Evaluation | None:
        """Every metric of a model, beside baselines, on the split that `evaluation` names; None where it is empty."""
        settings = self.config.get("evaluation") or {}
        split = settings.get("split", "test")
        if not len(self.source.examples(split)):
            return None
        from zoo.evaluation.evaluate import evaluate

        options = {"motif": settings.get("motifs") or (), "rivals": settings.get("rivals") or ()}
        return evaluate(model, self.source, split, n_bootstrap=settings.get("bootstrap", 1000), **options)

    @cached_property
    def data(self) -> DataSummary:
        """What the run learns from; ConfigError for labels that its objectives cannot learn."""
        from zoo.training.data_summary import summarise

        both_strands = self.strand != "none" or self.model.encoder.strand == "equivariant"
        return summarise(self.source, self.model, self.loss, both_strands)

    def summary(self) -> list[str]:
        """`data`, a line each, and how the strands were chosen."""
        name = (self.config.get("data") or {}).get("name", "data")
        first, *others = self.data.lines
        if self.strand_reason:
            others.append(f"strand: {self.strand}, since {self.strand_reason}")
        return [f"{name}: {first}", *(f"  {line}" for line in others)]

    def explain(self) -> str:
        """Every argument of data, encoder, heads and objectives: its value, and what filled it; then the data."""
        self.loss  # noqa: B018  (builds all of them)
        seeds = member_seeds(self.config)
        members = [f"members: {len(seeds)} networks, of the seeds {seeds[0]} to {seeds[-1]}"] if len(seeds) > 1 else []
        return "\n".join([*list_arguments(self._names, self.arguments), *members, *self.summary()])

    def _resolve(self, part: str, kind: str, entry: Config, run: Config) -> tuple[str, dict[str, Any]]:
        """Name and arguments of a component, noted for `explain`; run: what the run fills, by argument."""
        name, configured = name_and_arguments(entry, part)
        resolved = registry().resolve(kind, name, configured, run)
        filled = dict.fromkeys(resolved, "default") | {k: INJECTED[kind][k] for k in resolved if run.get(k) is not None}
        filled |= dict.fromkeys(configured, "configuration")
        self._names[part] = name
        self.arguments[part] = {key: Argument(value, filled[key]) for key, value in resolved.items()}
        return name, resolved

    @cached_property
    def _label_scales(self) -> dict[str, dict[str, list[float]]]:
        from zoo.training.label_scale import label_scale, published_scale

        return label_scale(self.source) | published_scale(self.published)

    def _encoder(self, strand: str) -> dict[str, Any]:
        """{"name": ..., every resolved argument}; those of the published encoder where there is one."""
        if self.published is not None:
            part = published_encoder(self.config, self.published, strand)
            self._names["encoder"] = part["name"]
            whence = f"model {self.config['init']}"
            self.arguments["encoder"] = {k: Argument(v, whence) for k, v in part.items() if k != "name"}
            return part
        entry, run = dict(self.config.get("encoder") or {}), of_data(self.source)
        if strand == "tied":
            name, _ = name_and_arguments(entry, "encoder")
            if "tied" not in inspect.signature(registry().get("encoder", name)).parameters:
                raise ConfigError(
                    f"strand=tied needs an encoder that shares weights between the strands, and {name!r} has no "
                    "argument 'tied': set strand=conjoined, or choose another encoder"
                )
            entry.pop("tied", None)
            run["tied"] = True
        name, arguments = self._resolve("encoder", "encoder", entry, run)
        return {"name": name, **arguments}

    def _term(self, part: str, entry: Config, head: str | None, coefficient: float) -> Term:
        run = {
            "head": head,
            "in_channels": self.model.encoder.out_channels,
            "domains": list(self.source.domains) or None,
            "covariates": list(self.source.covariates) or None,
            "contexts": list(self.source.contexts) or None,
            **(of_target(self.source.targets[head]) | self._label_scales.get(head, {}) if head is not None else {}),
            **task_arguments(self.source, head, entry, (self.config.get("trainer") or {}).get("sampling", "examples")),
        }
        name, arguments = self._resolve(part, "objective", entry, run)
        return Term(registry().get("objective", name)(**arguments), coefficient, head)
