"""fit(): it learns what it is shown, the same way each time, through kills and across processes;
the fast passes against a naive one.
"""

import copy
import json
import math
import signal
import subprocess
import sys
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from peft import LoraConfig, PrefixTuningConfig, PromptTuningConfig, get_peft_model
from processes import launch_two
from torch.nn.functional import cross_entropy
from transformers import (
    BertConfig,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertForTokenClassification,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
)

from course.lm.language_model import load
from course.training.batches import BatchingPlan, batching_plan
from course.training.completion_data import completions
from course.training.encoded_data import encoded
from course.training.fit_settings import FitSettings
from course.training.fitting import fit
from course.training.packing import IGNORED
from course.training.precision import pays_in_bf16
from course.training.processes import data_parallel
from course.training.training_run import TrainingDiverged
from course.training.validation import mean_loss

PAIRS = [
    ("cat :", "red"),
    ("dog :", "blue"),
    ("the fox runs :", "green"),
    ("horse :", "yellow grey"),
    ("the cat and the dog and the fox :", "red blue green"),
    ("a :", "b"),
]
FAST = FitSettings(steps=6, batch_size=4, learning_rate=5e-3, precision="fp32")


def tiny_gpt2(dropout: float = 0.0) -> GPT2LMHeadModel:
    torch.manual_seed(0)
    shape = {"vocab_size": 1100, "n_embd": 16, "n_layer": 1, "n_head": 2, "n_positions": 64}
    return GPT2LMHeadModel(
        GPT2Config(**shape, resid_pdrop=dropout, embd_pdrop=dropout, attn_pdrop=dropout)
    ).eval()


def tiny_llama() -> LlamaForCausalLM:
    torch.manual_seed(0)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=1100,
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            max_position_embeddings=64,
        )
    ).eval()


def tiny_bert(kind, labels: int = 3):
    torch.manual_seed(0)
    return kind(
        BertConfig(
            vocab_size=50,
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=32,
            num_labels=labels,
        )
    ).eval()


@pytest.fixture
def base():
    return load("gpt-small")


@pytest.fixture(scope="module")
def data():
    return completions(load("gpt-small").tokenizer, PAIRS)


def weights(model) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in model.named_parameters()}


def same(first: dict, second: dict) -> bool:
    return first.keys() == second.keys() and all(
        torch.equal(first[name], second[name]) for name in first
    )


def naive(model, data) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """The mean loss and its gradients, one example at a time, from the logits of every position."""
    model.zero_grad()
    total = torch.zeros(())
    for ids, start in zip(data.ids, data.starts, strict=True):
        logits = model(torch.tensor([ids])).logits[0, -len(ids) :]
        total = total + cross_entropy(
            logits[start - 1 : -1], torch.tensor(ids[start:]), reduction="sum"
        )
    loss = total / sum(data.num_targets)
    loss.backward()
    return loss.detach(), gradients(model)


def gradients(model) -> dict[str, torch.Tensor]:
    found = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad()
    return found


MODELS = {
    "NeoX, plain attention": lambda: load("gpt-small").model,
    "NeoX, fused attention": lambda: load("gpt-small").model,
    "GPT-2": tiny_gpt2,
    "Llama": tiny_llama,
    "LoRA": lambda: get_peft_model(
        tiny_llama(),
        LoraConfig(task_type="CAUSAL_LM", target_modules=["q_proj"], init_lora_weights=False),
    ),
    "soft prompt": lambda: get_peft_model(
        tiny_llama(), PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3)
    ),
    "prefix": lambda: get_peft_model(
        tiny_llama(), PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3)
    ),
}


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("max_tokens_per_batch", [16_384, 24])
def test_loss_and_gradients_are_those_of_one_example_at_a_time(kind, max_tokens_per_batch, data):
    model = MODELS[kind]()
    if kind == "NeoX, plain attention":
        model.set_attn_implementation("eager")
    expected, wanted = naive(model, data)
    found = fit(
        model,
        data,
        FitSettings(
            steps=1,
            batch_size=len(PAIRS),
            learning_rate=1e-12,
            max_tokens_per_batch=max_tokens_per_batch,
            precision="fp32",
        ),
    )
    assert found.losses[0] == pytest.approx(expected.item(), rel=1e-5)
    assert mean_loss(
        model, data, FitSettings(max_tokens_per_batch=max_tokens_per_batch, precision="fp32")
    ) == pytest.approx(expected.item(), rel=1e-5)
    for plan in (
        batching_plan(model, max_tokens_per_batch),
        BatchingPlan(False, False, max_tokens_per_batch),
    ):
        for batch in data.micro_batches(range(len(PAIRS)), plan):
            (data.summed_loss(model, batch, plan) / sum(data.num_targets)).backward()
        computed = gradients(model)
        assert computed.keys() == wanted.keys()
        for name in wanted:
            torch.testing.assert_close(
                computed[name],
                wanted[name],
                rtol=1e-3,
                atol=2e-5,
                msg=lambda text, name=name: f"{name}: {text}",
            )


def test_many_small_passes_train_as_one_does(data):
    found = []
    for max_tokens_per_batch in (16_384, 24):
        found.append(
            fit(
                tiny_gpt2(),
                data,
                replace(FAST, learning_rate=1e-2, max_tokens_per_batch=max_tokens_per_batch),
            ).losses
        )
    assert found[0] == pytest.approx(found[1], rel=1e-4)


def test_learns_what_it_is_shown(base, data):
    history = fit(base.model, data, FitSettings(steps=40, batch_size=6, learning_rate=5e-3))
    assert len(history.losses) == 40 and history.losses[-1] < 0.2 < history.losses[0]
    assert history.tokens == 40 * sum(data.tokens) and history.seconds > 0
    assert history.scores == () and history.best_step is None and not history.stopped_early
    assert not base.model.training
    for prompt, completion in PAIRS:
        assert base.continue_text(prompt, len(completion.split())) == completion.split()


HEADS = {
    "sequence": (BertForSequenceClassification, lambda ids: {"labels": ids[0] % 3}),
    "token": (
        BertForTokenClassification,
        lambda ids: {"labels": [IGNORED, *(i % 3 for i in ids[1:])]},
    ),
    "question": (
        BertForQuestionAnswering,
        lambda ids: {"start_positions": ids.index(max(ids)), "end_positions": ids.index(max(ids))},
    ),
}


@pytest.mark.parametrize("kind", HEADS)
def test_heads_are_trained_by_the_same_loop(kind):
    head, target = HEADS[kind]
    # the softmax of a question-answering head runs over padding, too: only equal lengths give it
    # the loss of one at a time
    lengths = [12 if kind == "question" else 2 + 5 * (i % 4) for i in range(16)]
    sentences = [
        [2 + (7 * i + 3 * j) % 40 for j in range(length)] for i, length in enumerate(lengths)
    ]
    features = [{"input_ids": ids, **target(ids)} for ids in sentences]
    data, model = encoded(features, pad=0), tiny_bert(head, 2 if kind == "question" else 3)
    total = 0.0
    for feature, num_targets in zip(features, data.num_targets, strict=True):
        total += (
            model(**{name: torch.tensor([value]) for name, value in feature.items()}).loss.item()
            * num_targets
        )
    settings = FitSettings(steps=60, batch_size=16, learning_rate=1e-2)
    assert mean_loss(model, data, settings) == pytest.approx(
        total / sum(data.num_targets), rel=1e-4
    )
    history = fit(model, data, settings)
    assert history.losses[0] == pytest.approx(
        total / sum(data.num_targets), rel=0.1
    )  # this one with dropout
    assert mean_loss(model, data) < 0.5 * history.losses[0]


def test_same_seed_same_weights_and_another_seed_others(data):
    found = {}
    for run, seed in (("first", 4), ("second", 4), ("other", 5)):
        model = tiny_gpt2(dropout=0.1)
        fit(model, data, replace(FAST, seed=seed))
        found[run] = weights(model)
    assert same(found["first"], found["second"]) and not same(found["first"], found["other"])


def test_no_trace_is_left_on_the_model_or_in_the_draws_of_others(data):
    model = tiny_gpt2(dropout=0.1)
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    known = set(vars(model))
    fit(model, data, FAST)
    assert torch.equal(torch.rand(2), expected) and set(vars(model)) == known


def test_only_trainable_parameters_change(base, data):
    for parameter in base.model.parameters():
        parameter.requires_grad = False
    base.model.gpt_neox.final_layer_norm.bias.requires_grad = True
    before, attention = (
        copy.deepcopy(base.model.state_dict()),
        base.model.config._attn_implementation,
    )
    fit(base.model, data, FAST)
    changed = [
        name
        for name, value in base.model.state_dict().items()
        if not torch.equal(value, before[name])
    ]
    assert changed == ["gpt_neox.final_layer_norm.bias"]
    assert base.model.config._attn_implementation == attention


def test_weights_in_half_precision_are_trained_in_full_and_given_back_in_half(base, data):
    model = base.model.bfloat16()
    history = fit(model, data, FitSettings(steps=40, batch_size=6, learning_rate=2e-3))
    assert history.losses[-1] < 0.3 * history.losses[0]
    assert {p.dtype for p in model.parameters()} == {torch.bfloat16}


def test_bf16_is_for_wide_models_on_processors_that_compute_in_it(base, monkeypatch):
    wide = load("gpt-middle").model
    for native in ({"avx512_bf16": True}, {"amx_bf16": True}, {"avx2": True}):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda native=native: native)
        assert not pays_in_bf16(base.model)
        # in passes of many tokens, as in pretraining, a narrow model gains too
        assert pays_in_bf16(wide) == pays_in_bf16(base.model, 8192) == ("avx2" not in native)


def test_bf16_learns_as_fp32_does(data):
    found = {}
    for precision in ("fp32", "bf16"):
        model = load("gpt-small").model
        found[precision] = fit(
            model,
            data,
            FitSettings(steps=20, batch_size=6, learning_rate=2e-3, precision=precision),
        ).losses
    assert found["fp32"] != found["bf16"]
    assert found["bf16"][0] == pytest.approx(found["fp32"][0], rel=0.02)
    assert found["bf16"][-1] == pytest.approx(found["fp32"][-1], abs=0.1)


@pytest.fixture(scope="module")
def contrary():
    """Data that contradicts what is learned: on it the model gets better in the first steps, and
    then worse.
    """
    return completions(load("gpt-small").tokenizer, [(prompt, "green") for prompt, _ in PAIRS])


def test_the_best_weights_are_kept_and_training_stops_early(data, contrary):
    settings = replace(
        FAST, steps=200, batch_size=6, validate_every=2, patience=3, learning_rate=2e-3
    )
    model = tiny_gpt2()
    history = fit(model, data, settings, validate=contrary)
    steps, scores = zip(*history.scores, strict=True)
    assert history.stopped_early and len(history.losses) == steps[-1] < 200
    assert history.best_step == steps[scores.index(min(scores))]
    assert 0 < history.best_step == steps[-1] - 3 * settings.validate_every
    assert (
        mean_loss(model, contrary, settings) == pytest.approx(min(scores), rel=1e-6) != scores[-1]
    )


def test_a_function_is_validated_with_and_its_value_should_rise(data):
    values = iter([0.1, 0.7, 0.3, 0.2, 0.6])
    seen = []

    def accuracy(model) -> float:
        assert not model.training
        seen.append(weights(model))
        return next(values)

    model = tiny_gpt2()
    history = fit(model, data, replace(FAST, steps=7, validate_every=2), validate=accuracy)
    assert history.scores == ((0, 0.1), (2, 0.7), (4, 0.3), (6, 0.2), (7, 0.6))
    assert history.best_step == 2 and not history.stopped_early and len(history.losses) == 7
    assert same(weights(model), seen[1])


def test_a_stopped_run_ends_in_the_same_weights(data, contrary, tmp_path):
    """Its best weights are from before the stops, so they come out of the checkpoint, too."""
    settings = replace(FAST, steps=30, batch_size=6, validate_every=2, learning_rate=2e-2)
    whole, stopped = tiny_gpt2(dropout=0.1), tiny_gpt2(dropout=0.1)
    expected = fit(whole, data, settings, validate=contrary)
    assert 0 < expected.best_step < 21
    for stop in (21, 24, None):
        model = copy.deepcopy(stopped)
        history = fit(
            model,
            data,
            settings,
            validate=contrary,
            checkpoint=tmp_path / "fit.safetensors",
            stop_after=stop,
        )
    assert replace(history, seconds=0) == replace(expected, seconds=0)
    assert same(weights(model), weights(whole))
    again = copy.deepcopy(stopped)
    assert (
        fit(again, data, settings, validate=contrary, checkpoint=tmp_path / "fit.safetensors")
        == history
    )
    assert same(weights(again), weights(whole))
    assert [path.name for path in tmp_path.iterdir()] == ["fit.safetensors"]


SCRIPT = """
import json, sys
from pathlib import Path
import torch
from accelerate import PartialState
from transformers import LlamaConfig, LlamaForCausalLM
from course.training.completion_data import Completions
from course.training.fit_settings import FitSettings
from course.training.fitting import fit

def run(folder):
    torch.set_num_threads(1)
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=50, num_attention_heads=2, **sizes))
    ids = tuple([(5 * i + j) % 50 for j in range(3 + 4 * (i % 5))] for i in range(20))
    data = Completions(ids, (1,) * 20)
    settings = FitSettings(
        steps=30, batch_size=7, learning_rate=5e-3, validate_every=5, max_tokens_per_batch=48
    )
    path = folder / "fit.safetensors"
    history = fit(model, data, settings, validate=data, checkpoint=path, checkpoint_seconds=0)
    if PartialState().is_main_process:
        torch.save(model.state_dict(), folder / "model")
        measured = json.dumps([history.losses, history.scores, history.tokens])
        (folder / "history.json").write_text(measured)
        (folder / "processes").write_text(str(PartialState().num_processes))

if __name__ == "__main__":
    run(Path(sys.argv[1]))
"""


def run_script(folder) -> None:
    """The script above in this process, which saves the time to import everything once more."""
    threads, names = torch.get_num_threads(), {"__name__": "script"}
    exec(SCRIPT, names)
    names["run"](folder)
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run of the script from its start to its end, in one process."""
    folder = tmp_path_factory.mktemp("whole")
    run_script(folder)
    return folder


def test_a_killed_run_ends_in_the_same_weights(whole, tmp_path):
    """Killed without warning in the middle of a step or of a checkpoint; only whole checkpoints
    count.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path)], stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 120
    while not (tmp_path / "fit.safetensors").exists():
        assert process.poll() is None and time.monotonic() < deadline, (
            "the run ended, or hung, before its first checkpoint"
        )
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (tmp_path / "model").exists()
    run_script(tmp_path)
    assert (tmp_path / "history.json").read_text(encoding="utf-8") == (
        whole / "history.json"
    ).read_text(encoding="utf-8")
    assert same(torch.load(tmp_path / "model"), torch.load(whole / "model"))


def test_two_processes_reach_the_losses_and_weights_of_one(whole, tmp_path):
    script = tmp_path / "run.py"
    script.write_text(SCRIPT, encoding="utf-8")
    launch_two(script, str(tmp_path))
    assert [(folder / "processes").read_text(encoding="utf-8") for folder in (whole, tmp_path)] == [
        "1",
        "2",
    ]
    expected, found = (
        json.loads((folder / "history.json").read_text(encoding="utf-8"))
        for folder in (whole, tmp_path)
    )
    assert found[0] == pytest.approx(expected[0], rel=1e-3)
    assert [value for _, value in found[1]] == pytest.approx(
        [value for _, value in expected[1]], rel=1e-3
    )
    assert found[2] == expected[2]
    one, two = (torch.load(folder / "model") for folder in (whole, tmp_path))
    assert one.keys() == two.keys()
    for name in one:
        torch.testing.assert_close(two[name], one[name], rtol=0, atol=2e-3)


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"settings": replace(FAST, learning_rate=1e-3)}, "settings"),
        ({"pairs": PAIRS[:-1]}, "data"),
        ({"seed": 1}, "starting weights"),
        ({"validate": len}, "validation"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused(change, part, data, base, tmp_path):
    path = tmp_path / "fit.safetensors"
    fit(tiny_gpt2(), data, FAST, checkpoint=path, stop_after=1)
    model = tiny_gpt2()
    if "seed" in change:
        model.init_weights()
        torch.nn.init.normal_(model.lm_head.weight)
    other = completions(base.tokenizer, change["pairs"]) if "pairs" in change else data
    with pytest.raises(ValueError, match=f"is of a run with other {part}; delete it"):
        fit(
            model,
            other,
            change.get("settings", FAST),
            validate=change.get("validate"),
            checkpoint=path,
        )


def test_a_damaged_checkpoint_is_refused(data, tmp_path):
    path = tmp_path / "fit.safetensors"
    fit(tiny_gpt2(), data, FAST, checkpoint=path, stop_after=1)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(
        ValueError, match="fit.safetensors is no whole checkpoint .* delete it to start again"
    ):
        fit(tiny_gpt2(), data, FAST, checkpoint=path)
    path.unlink()
    fit(tiny_gpt2(), data, FAST, checkpoint=path)
    damaged = bytearray(path.read_bytes())
    damaged[-5] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(
        ValueError,
        match="fit.safetensors is no whole checkpoint .*sha256.* delete it to start again",
    ):
        fit(tiny_gpt2(), data, FAST, checkpoint=path)


def test_a_run_that_diverges_says_where_and_keeps_its_best_weights(data):
    model, start = tiny_gpt2(), tiny_gpt2()
    with pytest.raises(
        TrainingDiverged,
        match=r"at step \d+ the loss is .* a learning rate of \d.*"
        "holds its best weights, of step 0",
    ):
        fit(
            model,
            data,
            FitSettings(steps=30, learning_rate=1e38, warmup_ratio=0, validate_every=50),
            validate=data,
        )
    assert same(weights(model), weights(start))


def test_without_validation_a_run_that_diverges_leaves_the_weights_before_that_step(data):
    model = tiny_gpt2()
    with pytest.raises(
        TrainingDiverged, match="holds its weights from before this step. Lower the rate"
    ):
        fit(model, data, FitSettings(steps=30, learning_rate=1e30, warmup_ratio=0))
    assert all(torch.isfinite(p).all() for p in model.parameters())
    with pytest.raises(TrainingDiverged, match="the validation after step 0 gives nan"):
        fit(tiny_gpt2(), data, FAST, validate=lambda model: math.nan)


def frozen(model):
    for parameter in model.parameters():
        parameter.requires_grad = False
    return model


def test_what_cannot_be_trained_is_refused(data):
    empty, features = (
        replace(data, ids=(), starts=()),
        encoded([{"input_ids": [1], "labels": [1]}], pad=0),
    )
    refused = [
        ((tiny_gpt2(), empty), "no data to train on"),
        ((frozen(tiny_gpt2()), data), "the model has no trainable parameters"),
        ((tiny_gpt2().half(), data), "the model is in float16"),
        ((tiny_gpt2(), features), "a causal language model is trained on completions"),
        (
            (tiny_gpt2(), data, FitSettings(patience=2)),
            "patience=2 needs something to validate with",
        ),
        ((tiny_gpt2(), data, FAST, empty), "no data to validate with"),
    ]
    for arguments, message in refused:
        with pytest.raises(ValueError, match=message):
            fit(*arguments)


@pytest.mark.parametrize(
    "change",
    [
        {"steps": 0},
        {"learning_rate": -1.0},
        {"batch_size": 0},
        {"patience": 0},
        {"precision": "fp8"},
    ],
)
def test_impossible_settings_are_refused(change):
    ((name, value),) = change.items()
    with pytest.raises(ValueError, match=f"{name}={value!r}: expected"):
        FitSettings(**change)


def test_nothing_is_printed_where_nobody_watches(data, capfd):
    fit(tiny_gpt2(), data, FAST)
    assert capfd.readouterr() == ("", "")
    fit(tiny_gpt2(), data, FAST, bar=True)
    assert "/6 [" in capfd.readouterr().err


def test_training_runs_beside_an_accelerator_of_other_precision(data, accelerate_state):
    alone, beside, given = tiny_gpt2(), tiny_gpt2(), tiny_gpt2()
    fit(alone, data, FAST)
    accelerate_state._reset_state()
    outer = Accelerator(mixed_precision="bf16", gradient_accumulation_steps=4)
    fit(beside, data, FAST)
    fit(given, data, FAST, accelerator=outer)
    assert outer.mixed_precision == outer.state.mixed_precision == "bf16"
    assert same(weights(alone), weights(beside)) and same(weights(alone), weights(given))


@pytest.fixture
def accelerate_state():
    """No state of accelerate's from before, and none left behind."""
    AcceleratorState._reset_state()
    yield AcceleratorState
    AcceleratorState._reset_state()


def test_the_callers_accelerator_trains(data, accelerate_state, monkeypatch):
    mine, waited = Accelerator(), []
    monkeypatch.setattr(mine, "wait_for_everyone", lambda: waited.append(True))
    fit(tiny_gpt2(), data, FAST, accelerator=mine)
    assert waited == [True]


def test_several_processes_with_a_mixed_precision_of_their_own_are_refused():
    two = SimpleNamespace(num_processes=2, mixed_precision="bf16")
    with pytest.raises(ValueError, match="mixed_precision='bf16' of accelerate: expected 'no'"):
        data_parallel(tiny_gpt2(), two)
