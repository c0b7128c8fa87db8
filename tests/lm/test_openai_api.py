"""A served model: the same answers as the local one, a bound on patience, and a key that nobody
sees.
"""

import io
import json
import os
import subprocess
import sys
import time
import traceback
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from endpoint import chat_completion, completion, endpoint

from course.lm.language_model import load
from course.lm.openai_api import EndpointError, NoLogProbabilities, OpenAIModel
from course.models.shipped import checked_folder
from course.prompting.classify import choose, match
from course.search import BlankFiller, WrittenPrompts, answers, search

KEY = "sk-very-secret"


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


@pytest.fixture(scope="module")
def local():
    return load("gpt-small")


@pytest.fixture(scope="module")
def transformers_serve(tmp_path_factory):
    """A real ``transformers serve`` with a shipped GPT; yields (base URL, name of the model)."""
    folder = str(checked_folder("gpt-small"))
    with urllib.request.socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (tmp_path_factory.mktemp("serve") / "log").open("w+", encoding="utf-8")
    program = str(Path(sys.executable).parent / "transformers")
    command = [
        program,
        "serve",
        folder,
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--device",
        "cpu",
    ]
    process = subprocess.Popen(
        command, stdout=log, stderr=subprocess.STDOUT, env={**os.environ, "HF_HUB_OFFLINE": "1"}
    )
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2).close()
                break
            except OSError:
                assert process.poll() is None, Path(log.name).read_text(encoding="utf-8")[-2000:]
                time.sleep(0.2)
        else:
            pytest.fail(
                "transformers serve did not start: "
                f"{Path(log.name).read_text(encoding='utf-8')[-2000:]}"
            )
        yield f"http://127.0.0.1:{port}/v1", folder
    finally:
        process.terminate()
        process.wait(20)


PROMPTS = [
    "the capital of dorland is",
    "the opposite of hot is",
    "hot : cold \n young : old \n fast :",
]


def test_a_real_server_writes_what_the_local_model_writes(transformers_serve, local):
    base_url, name = transformers_serve
    served = OpenAIModel(name, base_url)
    for (there,), (here,) in zip(
        served.generate(PROMPTS, max_tokens=6), local.generate(PROMPTS, max_tokens=6), strict=True
    ):
        assert there.text.split() == here.text.split() and there.text.strip()


def test_a_real_server_without_log_probabilities_says_so_and_the_choice_falls_back(
    transformers_serve, local
):
    base_url, name = transformers_serve
    served = OpenAIModel(name, base_url)
    with pytest.raises(
        NoLogProbabilities, match=r"does not repeat a text with its log-probabilities; let it write"
    ):
        served.score(["the opposite of hot is"], [" cold"])
    labels = (" cold", " slow", " rosken", " old")
    assert choose(served, PROMPTS, labels) == choose(local, PROMPTS, labels)


def telling(local):
    """An endpoint that repeats the text with its log-probabilities, as vLLM does, out of the local
    model.
    """

    def answer(path, request, number):
        assert path == "/v1/completions" and request["echo"] and request["logprobs"] == 1
        words = request["prompt"].split(" ")
        tokens = [words[0], *(f" {word}" for word in words[1:])]
        values = [None]
        for i in range(1, len(tokens)):
            values.append(float(local.score(["".join(tokens[:i])], [tokens[i]])[0]))
        offsets = [sum(map(len, tokens[:i])) for i in range(len(tokens) + 1)]
        told = {
            "tokens": [*tokens, " more"],
            "token_logprobs": [*values, -1.5],
            "text_offset": offsets,
        }
        return 200, {}, completion(request["prompt"] + " more", told)

    return answer


def test_scores_are_those_of_the_local_model(local):
    prompts, labels = ["the opposite of hot is", "the cat is"], [" cold", " very red"]
    with endpoint(telling(local)) as (base_url, _):
        served = OpenAIModel("m", base_url)
        for ask in (
            lambda model: model.score_labels(prompts, [" cold", " red"]),
            lambda model: model.score(prompts, labels),
        ):
            np.testing.assert_allclose(ask(served), ask(local), atol=1e-4)
        assert choose(served, prompts[:1], [" cold", " red"]) == [" cold"]


def test_a_rate_limit_and_a_server_that_fails_once_are_waited_for():
    def answer(path, request, number):
        if number == 0:
            return 429, {"Retry-After": "0"}, {"error": {"message": "slow down"}}
        if number == 1:
            return 503, {"Retry-After": "0"}, {"error": {"message": "loading"}}
        return 200, {}, completion(" fine")

    with endpoint(answer) as (base_url, seen):
        assert OpenAIModel("m", base_url).generate(["a"])[0][0].text == " fine"
        assert len(seen) == 3


def test_patience_has_a_bound_and_nothing_is_lost(tmp_path):
    broken = True

    def answer(path, request, number):
        if broken and request["prompt"] == "b":
            return 500, {"Retry-After": "0"}, {"error": {"message": "out of order"}}
        return 200, {}, completion(f" after {request['prompt']}")

    kept = tmp_path / "answers.jsonl"
    with endpoint(answer) as (base_url, seen):
        served = OpenAIModel("m", base_url, retries=2, answers=kept, workers=1)
        with pytest.raises(
            EndpointError,
            match=r"refused with status 500.* 2 of 3 questions are answered and kept in ",
        ):
            served.generate(["a", "b", "c"])
        assert [r["prompt"] for _, r, _ in seen] == ["a", "b", "b", "b", "c"]
        broken = False
        again = OpenAIModel("m", base_url, answers=kept)  # another process, say
        assert [s[0].text for s in again.generate(["a", "b", "c"])] == [
            " after a",
            " after b",
            " after c",
        ]
        assert [r["prompt"] for _, r, _ in seen[5:]] == ["b"]


def test_an_answer_that_was_cut_off_is_asked_for_again(tmp_path):
    kept = tmp_path / "answers.jsonl"
    with endpoint(
        lambda path, request, number: (200, {}, completion(f" after {request['prompt']}"))
    ) as (base_url, seen):
        OpenAIModel("m", base_url, answers=kept, workers=1).generate(["a", "b"])
        whole = kept.read_bytes()
        asked = [json.loads(line).keys() for line in whole.splitlines()]
        for cut in (1, 20):  # the line break alone, or more
            kept.write_bytes(whole[:-cut])
            before = len(seen)
            again = OpenAIModel("m", base_url, answers=kept, workers=1)
            assert [s[0].text for s in again.generate(["a", "b"])] == [" after a", " after b"]
            assert [r["prompt"] for _, r, _ in seen[before:]] == ["b"]
            assert [
                json.loads(line).keys() for line in kept.read_text(encoding="utf-8").splitlines()
            ] == asked


def test_a_damaged_file_of_answers_says_where(tmp_path):
    kept = tmp_path / "answers.jsonl"
    kept.write_text('{"a": {}}\n{"b": \n{"c": {}}\n', encoding="utf-8")
    with pytest.raises(
        ValueError, match=r"line 2 of .*answers.jsonl is damaged .*delete it to ask"
    ):
        OpenAIModel("m", "http://localhost:1/v1", answers=kept)


@pytest.mark.parametrize(
    "content", [b"ten years of work", b"line\nthe last line of a thesis", b'{"a": 1}', b"{}"]
)
def test_a_file_that_holds_no_answers_loses_nothing(tmp_path, content):
    (tmp_path / "thesis.txt").write_bytes(content)
    with pytest.raises(
        ValueError, match="thesis.txt is no file of answers .*; it was left as it is"
    ):
        OpenAIModel("m", "http://localhost:1/v1", answers=tmp_path / "thesis.txt")
    assert (tmp_path / "thesis.txt").read_bytes() == content


def test_a_slow_server_and_one_that_is_not_there():
    def slow(path, request, number):
        time.sleep(1)
        return 200, {}, completion(" late")

    with endpoint(slow) as (base_url, seen):
        with pytest.raises(
            EndpointError, match=r"did not answer in 0.2 s; give it more with timeout="
        ):
            OpenAIModel("m", base_url, timeout=0.2, retries=1).generate(["a"])
        assert len(seen) == 2
    with pytest.raises(EndpointError, match="cannot be reached; is the server running"):
        OpenAIModel("m", base_url, retries=0).generate(["a"])


def test_the_key_is_sent_and_never_shown_or_stored(tmp_path):
    def answer(path, request, number):
        if number == 0:
            return 200, {}, completion(" fine")
        return (401 if number == 1 else 400), {}, {"error": {"message": f"bad key {KEY}"}}

    kept = tmp_path / "answers.jsonl"
    with endpoint(answer) as (base_url, seen):
        served = OpenAIModel("m", base_url, answers=kept)
        served.generate(["a"])
        assert seen[0][2]["authorization"] == f"Bearer {KEY}"
        for message in ("the key in OPENAI_API_KEY is wrong", "status 400"):
            with pytest.raises(EndpointError, match=message) as caught:
                served.generate(["b"])
            assert KEY not in str(caught.value) and caught.value.__cause__.__cause__ is None
        assert (
            KEY not in kept.read_text(encoding="utf-8")
            and KEY not in repr(served)
            and KEY not in str(vars(served).get("name"))
        )


def test_chat_sends_a_users_message_and_knows_no_probabilities():
    with endpoint(lambda path, request, number: (200, {}, chat_completion("Yes, it is."))) as (
        base_url,
        seen,
    ):
        served = OpenAIModel("m", base_url, chat=True)
        (sample,) = served.generate(["is it large ?"], max_tokens=7)[0]
        path, request, _ = seen[0]
        assert path == "/v1/chat/completions" and request["messages"] == [
            {"role": "user", "content": "is it large ?"}
        ]
        assert (
            request["max_tokens"] == 7
            and sample.text == "Yes, it is."
            and np.isnan(sample.log_probability)
        )
        with pytest.raises(NoLogProbabilities, match="is asked by chat"):
            served.score(["a"], [" b"])
        assert choose(served, ["is it large ?"], [" yes", " no"]) == [" yes"]


def test_samples_are_asked_for_one_by_one_until_they_are_enough():
    with endpoint(
        lambda path, request, number: (200, {}, completion(f" word {request['seed']}\nmore"))
    ) as (base_url, seen):
        served = OpenAIModel("m", base_url)
        (samples,) = served.generate(
            ["a"], n=5, temperature=1.0, stop="\n", until=lambda texts: len(texts) == 3
        )
        assert len(samples) == len({s.text for s in samples}) == len(seen) == 3
        assert all("\n" not in s.text and s.finish == "stop" for s in samples)
        (again,) = served.generate(
            ["a"], n=5, temperature=1.0, stop="\n", until=lambda texts: len(texts) == 3
        )
        assert [s.text for s in again] == [s.text for s in samples]
        assert len(seen) == 3


def test_a_text_matches_the_label_it_begins_with():
    labels = (" yes", " no", " not at all")
    assert match(" Yes, of course", labels) == " yes"
    assert match("not at all .", labels) == " not at all"
    assert match("nothing", labels) is None and match("", labels) is None
    with pytest.raises(ValueError, match="expected two or more different ones"):
        choose(None, ["a"], [" yes", "yes"])


CONTRACT = {"temperature": 1.0, "seed": 3, "max_tokens": 8}


@pytest.fixture(scope="module")
def remote(local):
    """The local model behind an endpoint that samples by the seed of the request."""

    def answer(path, request, number):
        asked = {name: request[name] for name in ("temperature", "seed", "max_tokens")}
        return 200, {}, completion(local.generate([request["prompt"]], **asked)[0][0].text)

    with endpoint(answer) as (base_url, _):
        yield lambda: OpenAIModel("m", base_url)


@pytest.mark.parametrize("where", ["here", "served"])
def test_a_sample_follows_from_seed_prompt_place_and_number_alone(where, local, remote):
    """The contract of ``TextModel.generate``, for the local model and a served one, each time asked
    anew.
    """

    def texts(prompts, **other):
        model = remote() if where == "served" else local
        return [
            [s.text for s in samples] for samples in model.generate(prompts, **CONTRACT | other)
        ]

    first, second = "the red fox", "tom has"
    (one,), twice = texts([first]), texts([first, first])
    assert twice[0] == one == texts([first])[0], "the same call gives the same"
    assert twice[1] != twice[0], "an equal prompt gets samples of its own"
    assert texts([second, first, second, first])[1::2] == twice, (
        "what stands between does not matter"
    )
    (three,) = texts([first], n=3)
    assert three[:2] == texts([first], n=2)[0] and three[0] == one[0] and len(set(three)) == 3
    assert texts([first], seed=4)[0] != one
    assert len(set(map(tuple, texts([first, first], temperature=0.0)))) == 1, (
        "nothing is drawn at temperature 0"
    )


def test_equal_questions_without_chance_are_asked_once(local):
    def answer(path, request, number):
        return (
            telling(local)(path, request, number)
            if "echo" in request
            else (200, {}, completion(" fine"))
        )

    with endpoint(answer) as (base_url, seen):
        served = OpenAIModel("m", base_url)
        assert len(served.generate(["a", "b", "a"])) == 3 and len(seen) == 2
        first, _, again = served.score(["the cat is", "the dog is", "the cat is"], [" red"] * 3)
        assert first == again and len(seen) == 4


def told(values, tokens=("is", " it", " red"), offsets=(0, 2, 5), text="is it red .") -> dict:
    return completion(
        text, {"tokens": list(tokens), "token_logprobs": list(values), "text_offset": list(offsets)}
    )


@pytest.mark.parametrize(
    "body",
    [
        told([None, -1.0, None]),
        told([None, None, None]),
        told([None, -1.0, "-2"]),
        told([None, -1.0, float("nan")]),
        told([None, -1.0, 2.0]),
        told([None, -1.0, True]),
        told([None, -1.0]),
        told([], [], []),
        told([None, -1.0, -2.0], offsets=(0, 50, 60)),
        told([None, -1.0, -2.0], offsets=(5, 2, 0)),
        told([None, -1.0, -2.0], offsets=(0, 2, 7)),
        told([None, -1.0], tokens=("is", " it"), offsets=(0, 2)),
        told([None, -1.0, -2.0], tokens=("is", " it", " r")),
        told([None, -1.0, -2.0], offsets=(0, 2, None)),
        told([None, -1.0, -2.0], tokens=("is", " it", None)),
        told([None, -1.0, -2.0], text="another text"),
        completion("is it red .", {"tokens": None, "token_logprobs": 5, "text_offset": {}}),
        completion("is it red .") | {"choices": [{"text": "is it red .", "logprobs": [1]}]},
    ],
)
def test_a_log_probability_that_is_not_told_is_never_certainty(body, tmp_path):
    kept = tmp_path / "answers.jsonl"
    refused = pytest.raises(NoLogProbabilities, match="log-probabilit")
    with endpoint(lambda path, request, number: (200, {}, body)) as (base_url, _), refused:
        OpenAIModel("m", base_url, answers=kept).score(["is it"], [" red"])
    with endpoint(lambda path, request, number: (200, {}, told([None, -1.0, -2.0]))) as (
        base_url,
        _,
    ):
        assert not kept.exists()
        assert OpenAIModel("m", base_url, answers=kept).score(["is it"], [" red"]) == [-2.0]


def test_the_first_token_of_a_text_has_no_log_probability():
    refused = pytest.raises(
        NoLogProbabilities,
        match="for token 'is' of 'is it red'; begin with a prompt that is not empty, or",
    )
    answer = told([None, -1.0, -2.0])
    with endpoint(lambda path, request, number: (200, {}, answer)) as (base_url, _), refused:
        OpenAIModel("m", base_url).score([""], ["is it red"])


ODD = {
    "error": {"error": {"message": "out of memory", "code": 500}},
    "an error as text": {"error": "no such model"},
    "no choices": {"choices": []},
    "null choices": {"choices": None},
    "choices as text": {"choices": "hello"},
    "a choice as number": {"choices": [5]},
    "a choice without text": {"choices": [{}]},
    "null text": {
        "choices": [{"text": None, "message": {"content": None}, "finish_reason": "length"}]
    },
    "integers": {"choices": [{"text": 5, "message": {"content": 5}}]},
    "a list of parts": {
        "choices": [{"text": ["a"], "message": {"content": [{"type": "text", "text": "a"}]}}]
    },
    "a message as text": {"choices": [{"message": "hello"}]},
    "half a character": {"choices": [{"text": "\ud83d", "message": {"content": "\ud83d"}}]},
    "usage as text": {
        "choices": [{"text": "a", "message": {"content": "a"}}],
        "usage": {"completion_tokens": "many"},
    },
    "a reason as number": {
        "choices": [{"text": "a", "message": {"content": "a"}, "finish_reason": 3}]
    },
    "a list": [{"choices": [{"text": "a"}]}],
    "a number": 5,
    "null": None,
    "text": "hello",
    "an empty body": b"",
    "HTML": b"<html><body>Log in to this network</body></html>",
    "half of an answer": json.dumps(completion("a")).encode()[:40],
    "a deep nest": b"[" * 100_000,
    "no Unicode": b'{"choices": [{"text": "\xff\xfe"',
}


@pytest.mark.parametrize("chat", [False, True], ids=["plain", "chat"])
@pytest.mark.parametrize("kind", ODD)
def test_an_odd_answer_is_an_error_and_is_not_kept(kind, chat, tmp_path):
    kept, odd = tmp_path / "answers.jsonl", ODD[kind]
    content = {"Content-Type": "text/html"} if kind == "HTML" else {}
    fine = chat_completion("fine") if chat else completion("fine")

    def answer(path, request, number):
        return (200, content, odd) if number == 0 else (200, {}, fine)

    with endpoint(answer) as (base_url, seen):
        served = OpenAIModel("m", base_url, chat=chat, answers=kept)
        with pytest.raises(
            EndpointError, match=r"m at http://127.0.0.1:\d+/v1 gave an answer that cannot be read"
        ):
            served.generate(["a"])
        assert not kept.exists()
        assert served.generate(["a"])[0][0].text == "fine" and len(seen) == 2


def test_an_odd_answer_that_was_kept_once_is_asked_for_again(tmp_path):
    kept = tmp_path / "answers.jsonl"
    with endpoint(lambda path, request, number: (200, {}, completion(f"fine {number}"))) as (
        base_url,
        seen,
    ):
        OpenAIModel("m", base_url, answers=kept).generate(["a"])
        (key,) = json.loads(kept.read_text(encoding="utf-8"))
        for odd in ({"error": "full"}, {"choices": []}, {"choices": [{"text": None}]}, [], 5):
            kept.write_text(json.dumps({key: odd}) + "\n", encoding="utf-8")
            before = len(seen)
            again = OpenAIModel("m", base_url, answers=kept)
            assert again.generate(["a"])[0][0].text == f"fine {before}"
            assert (
                OpenAIModel("m", base_url, answers=kept).generate(["a"])[0][0].text
                == f"fine {before}"
            )
            assert len(seen) == before + 1


def everything_said(error: BaseException) -> str:
    """All messages of an error and of those before it, shown or not."""
    said, seen = "".join(traceback.format_exception(error)), []
    while error is not None and error not in seen:
        seen.append(error)
        said += str(error) + repr(error)
        error = error.__cause__ or error.__context__
    return said


@pytest.mark.parametrize("status", [200, 400, 401, 500])
@pytest.mark.parametrize("before", [0, 260, 293])
def test_a_server_that_repeats_the_key_does_not_make_it_known(status, before, tmp_path):
    kept = tmp_path / "answers.jsonl"
    echo = {"authorization": f"Bearer {KEY}", KEY: [KEY]}

    def answer(path, request, number):
        if number == 0:
            return 200, {"X-Key": KEY}, completion(f" the key is {KEY} .") | echo
        return status, {"Retry-After": "0"}, {"error": "x" * before + KEY, **echo}

    with endpoint(answer) as (base_url, seen):
        served = OpenAIModel("m", base_url, answers=kept, retries=0)
        assert served.generate(["a"])[0][0].text == " the key is … ."
        assert seen[0][2]["authorization"] == f"Bearer {KEY}"
        with pytest.raises(EndpointError) as caught:
            served.generate(["b"])
        assert "sk-v" not in everything_said(caught.value)
        served.generate(["a"])
        assert len(seen) == 2 and KEY not in kept.read_text(encoding="utf-8")
        inside = [getattr(part, "__dict__", part) for part in vars(served).values()]
        assert KEY not in f"{vars(served)} {served!r} {inside}"


def test_a_placeholder_for_a_key_may_stand_in_a_text(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "EMPTY")
    with endpoint(lambda path, request, number: (200, {}, completion(" the EMPTY set"))) as (
        base_url,
        _,
    ):
        assert OpenAIModel("m", base_url).generate(["a"])[0][0].text == " the EMPTY set"


@pytest.mark.parametrize("secret", ["sk-süßes-geheimnis", "sk-two\nlines"])
def test_a_key_that_no_header_can_carry_is_refused_unseen(secret, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", secret)
    with pytest.raises(
        ValueError, match="OPENAI_API_KEY has characters that no header can carry"
    ) as caught:
        OpenAIModel("m", "http://localhost:1/v1")
    assert secret not in everything_said(caught.value)


def test_a_line_break_after_a_key_is_not_part_of_it(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", f"{KEY}\n")
    with endpoint(lambda path, request, number: (200, {}, completion("fine"))) as (base_url, seen):
        OpenAIModel("m", base_url).generate(["a"])
        assert seen[0][2]["authorization"] == f"Bearer {KEY}"


def test_an_address_is_checked_and_a_password_in_it_is_not_shown():
    for odd in ("localhost:8000/v1", "", "ftp://localhost/v1", "http:///v1"):
        with pytest.raises(
            ValueError,
            match="expected the address of an endpoint, such as http://localhost:8000/v1",
        ):
            OpenAIModel("m", odd)
    with pytest.raises(ValueError, match="leave it out and set OPENAI_API_KEY") as caught:
        OpenAIModel("m", "https://me:hunter2@example.org/v1")
    assert "hunter2" not in str(caught.value)


class FullDisk(io.FileIO):
    """A file on a disk that has room for 20 bytes more."""

    def write(self, data):
        return super().write(data[:20])


def test_a_full_disk_leaves_whole_lines(tmp_path, monkeypatch):
    kept = tmp_path / "answers.jsonl"
    with endpoint(
        lambda path, request, number: (200, {}, completion(f"fine {request['prompt']}"))
    ) as (base_url, _):
        OpenAIModel("m", base_url, answers=str(kept)).generate(["a"])
        before, served = kept.read_bytes(), OpenAIModel("m", base_url, answers=kept)
        with monkeypatch.context() as patch:
            patch.setattr(Path, "open", lambda path, *_, **__: FullDisk(path, "ab"))
            with pytest.raises(
                EndpointError, match=r"cannot be kept in .*answers.jsonl .*make room there"
            ):
                served.generate(["b"])
        assert kept.read_bytes() == before
    with pytest.raises(ValueError, match="does not exist; make it first"):
        OpenAIModel("m", base_url, answers=tmp_path / "nowhere" / "answers.jsonl")


def test_a_search_without_gradients_finds_the_same_behind_an_endpoint(local):
    def answer(path, request, number):
        (sample,) = local.generate(
            [request["prompt"]], stop=tuple(request["stop"]), max_tokens=request["max_tokens"]
        )[0]
        return 200, {}, completion(sample.text)

    objective = answers("capital", 4, 3, wanted_tier="tiny")
    method = WrittenPrompts(BlankFiller(load("bert-middle", "tiny")), count=4, best=1, variations=2)
    with endpoint(answer) as (base_url, seen):
        there = search(method, objective, OpenAIModel("m", base_url), budget=60)
    assert seen and there == search(method, objective, local, budget=60)
