"""Reinforcement learning from a reward: ``course.reward`` beside GRPO of ``trl``, on the same model
with the same adapter and the same settings.

``python benchmarks/reward.py > benchmarks/results/reward.txt``. Both sample, score and update as
often, from dialogues with the guides of the micro-world, whose reward is how short a reply is, at
one rate with one schedule; replies end where the guide's turn ends. The figures are the median
seconds of a step, and tokens a step, without the first one, which warms up. Two programs draw
different samples, so their tokens differ a little: read the seconds a token, too. They agree if the
reward of their first samples, from the same model, is the same within its error, and if it has
risen as much when the last ones are drawn.
"""

import argparse
import copy
import tempfile
import time
from dataclasses import dataclass, field

import numpy as np
import torch
from datasets import Dataset
from peft import PeftModel
from transformers import PreTrainedTokenizerBase, PrinterCallback, TrainerCallback
from trl import GRPOConfig, GRPOTrainer

from course.adapters import adapt
from course.lm.language_model import LanguageModel, load
from course.reward import OnlineSettings, OnlineTraining
from course.search.dialogue_reward import LONGEST, STOP, dialogue, visitor_questions

#: The reward of so many last steps is averaged.
LAST = 3


@dataclass
class Steps:
    """Seconds, tokens and mean reward of each step."""

    seconds: list[float] = field(default_factory=list)
    tokens: list[float] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)

    def line(self, name: str) -> str:
        tokens, last = np.mean(self.tokens[1:]), np.mean(self.rewards[-LAST:])
        figures = f"{self.a_step:10.3f}{tokens:15.0f}{1e3 * self.a_token:12.3f}"
        return f"{name:8}{figures}{self.rewards[0]:14.2f}{last:14.2f}"

    @property
    def a_step(self) -> float:
        return float(np.median(self.seconds[1:]))

    @property
    def a_token(self) -> float:
        return float(np.median(np.array(self.seconds[1:]) / np.array(self.tokens[1:])))


def policy_of(base: LanguageModel) -> PeftModel:
    """A copy of the model with a fresh adapter, the same for both."""
    torch.manual_seed(0)
    return adapt(copy.deepcopy(base.model), "lora")


def brevity(prompts: list[str], replies: list[str]) -> np.ndarray:
    return -np.array([float(len(reply.split())) for reply in replies])


def ours(base: LanguageModel, prompts: list[str], settings: OnlineSettings) -> Steps:
    policy = LanguageModel(policy_of(base), base.tokenizer, base.batch_tokens)
    training = OnlineTraining(policy, brevity, prompts, settings)
    entries = [training.step(number) for number in range(settings.steps)]
    return Steps(*zip(*((e.seconds, float(e.tokens), e.proxy) for e in entries), strict=True))


class Clock(TrainerCallback):
    """When the steps of a trainer begin and end."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def on_step_begin(self, args, state, control, **given) -> None:
        self.started = time.perf_counter()

    def on_step_end(self, args, state, control, **given) -> None:
        self.seconds.append(time.perf_counter() - self.started)


def ends_with_the_turn(tokenizer: PreTrainedTokenizerBase) -> PreTrainedTokenizerBase:
    """A copy that takes the end of a guide's turn for the end of a text, which is all that ``trl``
    stops at.
    """
    tokenizer = copy.deepcopy(tokenizer)
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    (stop,) = tokenizer(STOP, add_special_tokens=False).input_ids
    tokenizer.eos_token = tokenizer.convert_ids_to_tokens(stop)
    return tokenizer


def theirs(base: LanguageModel, prompts: list[str], settings: OnlineSettings) -> Steps:
    batch, clock = settings.prompts * settings.samples, Clock()
    with tempfile.TemporaryDirectory() as folder:
        config = GRPOConfig(
            output_dir=folder,
            per_device_train_batch_size=batch,
            num_generations=settings.samples,
            max_completion_length=settings.max_tokens,
            max_steps=settings.steps,
            learning_rate=settings.learning_rate,
            warmup_steps=round(settings.warmup_ratio * settings.steps),
            temperature=settings.temperature,
            beta=settings.beta,
            loss_type="grpo",
            logging_steps=1,
            report_to=[],
            save_strategy="no",
            use_cpu=True,
            bf16=False,
            gradient_checkpointing=False,
            disable_tqdm=True,
        )
        trainer = GRPOTrainer(
            model=policy_of(base),
            reward_funcs=lambda completions, **_: brevity([], completions).tolist(),
            args=config,
            train_dataset=Dataset.from_list([{"prompt": prompt} for prompt in prompts]),
            processing_class=ends_with_the_turn(base.tokenizer),
            callbacks=[clock],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    logged = [row for row in trainer.state.log_history if "completions/mean_length" in row]
    tokens = [batch * row["completions/mean_length"] for row in logged]
    return Steps(clock.seconds, tokens, [row["reward"] for row in logged])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="gpt-middle")
    parser.add_argument("--prompts", type=int, default=32, help="prompts of a step")
    parser.add_argument("--samples", type=int, default=8, help="replies to each prompt")
    parser.add_argument("--steps", type=int, default=12, help="the first of them is not counted")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    base = load(given.model)
    questions, _ = visitor_questions(0, 4 * given.prompts, 1)
    prompts = [dialogue(question) for question in questions]
    settings = OnlineSettings(
        method="grpo",
        beta=0.05,
        steps=given.steps,
        prompts=given.prompts,
        samples=given.samples,
        learning_rate=2e-3,
        max_tokens=LONGEST,
        stop=STOP,
    )
    first, second = ours(base, prompts, settings), theirs(base, prompts, settings)
    print(
        f"{given.model}, {given.threads} threads, {given.prompts} prompts of {given.samples} "
        f"samples, {given.steps - 1} steps"
    )
    print(
        f"{'':8}{'s a step':>10}{'tokens a step':>15}{'ms a token':>12}{'first reward':>14}"
        f"{f'of last {LAST}':>14}"
    )
    print(first.line("course"), second.line("trl"), sep="\n")
    print(
        f"trl takes {second.a_step / first.a_step:.1f} times as long a step, "
        f"{second.a_token / first.a_token:.1f} times as long a token"
    )


if __name__ == "__main__":
    main()
