"""A served model: the same answers as the local one, a bound on patience, and a key that nobody sees."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from endpoint import chat_completion, completion, endpoint

from course import models
from course.choosing import choose, match
from course.lm import load
from course.search import BlankFiller, WrittenPrompts, answers, search
from course.served import EndpointError, NoLogProbabilities, ServedModel

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
    folder = str(models.checked_folder("gpt-small"))
    with urllib.request.socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (tmp_path_factory.mktemp("serve") / "log").open("w+")
    program = str(Path(sys.executable).parent / "transformers")
    command = [program, "serve", folder, "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env={**os.environ, "HF_HUB_OFFLINE": "1"})
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2).close()
                break
            except OSError:
                assert process.poll() is None, Path(log.name).read_text()[-2000:]
                time.sleep(0.2)
        else:
            pytest.fail(f"transformers serve did not start: {Path(log.name).read_text()[-2000:]}")
        yield f"http://127.0.0.1:{port}/v1", folder
    finally:
        process.terminate()
        process.wait(20)


PROMPTS = ["the capital of dorland is", "the opposite of hot is", "hot : cold \n young : old \n fast :"]


def test_a_real_server_writes_what_the_local_model_writes(transformers_serve, local):
    base_url, name = transformers_serve
    served = ServedModel(name, base_url)
    for (there,), (here,) in zip(served.generate(PROMPTS, max_tokens=6), local.generate(PROMPTS, max_tokens=6), strict=True):
        assert there.text.split() == here.text.split() and there.text.strip()


def test_a_real_server_without_log_probabilities_says_so_and_the_choice_falls_back(transformers_serve, local):
    base_url, name = transformers_serve
    served = ServedModel(name, base_url)
    with pytest.raises(NoLogProbabilities, match=r"does not repeat a text with its log-probabilities; let it write"):
        served.score(["the opposite of hot is"], [" cold"])
    labels = (" cold", " slow", " rosken", " old")
    assert choose(served, PROMPTS, labels) == choose(local, PROMPTS, labels)


def telling(local):
    """An endpoint that repeats the text with its log-probabilities, as vLLM does, out of the local model."""

    def answer(path, request, number):
        assert path == "/v1/completions" and request["echo"] and request["logprobs"] == 1
        words = request["prompt"].split(" ")
        tokens = [words[0], *(f" {word}" for word in words[1:])]
        values = [None]
        for i in range(1, len(tokens)):
            values.append(float(local.score(["".join(tokens[:i])], [tokens[i]])[0]))
        offsets = [sum(map(len, tokens[:i])) for i in range(len(tokens) + 1)]
        told = {"tokens": [*tokens, " more"], "token_logprobs": [*values, -1.5], "text_offset": offsets}
        return 200, {}, completion(request["prompt"] + " more", told)

    return answer


def test_scores_are_those_of_the_local_model(local):
    prompts, labels = ["the opposite of hot is", "the cat is"], [" cold", " very red"]
    with endpoint(telling(local)) as (base_url, _):
        served = ServedModel("m", base_url)
        for ask in (lambda model: model.score_labels(prompts, [" cold", " red"]), lambda model: model.score(prompts, labels)):
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
        assert ServedModel("m", base_url).generate(["a"])[0][0].text == " fine"
        assert len(seen) == 3


def test_patience_has_a_bound_and_nothing_is_lost(tmp_path):
    broken = True

    def answer(path, request, number):
        if broken and request["prompt"] == "b":
            return 500, {"Retry-After": "0"}, {"error": {"message": "out of order"}}
        return 200, {}, completion(f" after {request['prompt']}")

    kept = tmp_path / "answers.jsonl"
    with endpoint(answer) as (base_url, seen):
        served = ServedModel("m", base_url, retries=2, answers=kept, workers=1)
        with pytest.raises(EndpointError, match=r"refused with status 500.* 2 of 3 questions are answered and kept in "):
            served.generate(["a", "b", "c"])
        assert [r["prompt"] for _, r, _ in seen] == ["a", "b", "b", "b", "c"]
        broken = False
        again = ServedModel("m", base_url, answers=kept)  # another process, say
        assert [s[0].text for s in again.generate(["a", "b", "c"])] == [" after a", " after b", " after c"]
        assert [r["prompt"] for _, r, _ in seen[5:]] == ["b"]


def test_an_answer_that_was_cut_off_is_asked_for_again(tmp_path):
    kept = tmp_path / "answers.jsonl"
    with endpoint(lambda path, request, number: (200, {}, completion(f" after {request['prompt']}"))) as (base_url, seen):
        ServedModel("m", base_url, answers=kept, workers=1).generate(["a", "b"])
        whole = kept.read_bytes()
        asked = [json.loads(line).keys() for line in whole.splitlines()]
        for cut in (1, 20):  # the line break alone, or more
            kept.write_bytes(whole[:-cut])
            before = len(seen)
            again = ServedModel("m", base_url, answers=kept, workers=1)
            assert [s[0].text for s in again.generate(["a", "b"])] == [" after a", " after b"]
            assert [r["prompt"] for _, r, _ in seen[before:]] == ["b"]
            assert [json.loads(line).keys() for line in kept.read_text().splitlines()] == asked


def test_a_damaged_file_of_answers_says_where(tmp_path):
    kept = tmp_path / "answers.jsonl"
    kept.write_text('{"a": {}}\n{"b": \n{"c": {}}\n')
    with pytest.raises(ValueError, match=r"line 2 of .*answers.jsonl is damaged .*delete it to ask"):
        ServedModel("m", "http://localhost:1/v1", answers=kept)


@pytest.mark.parametrize("content", [b"ten years of work", b"line\nthe last line of a thesis", b'{"a": 1}', b"{}"])
def test_a_file_that_holds_no_answers_loses_nothing(tmp_path, content):
    (tmp_path / "thesis.txt").write_bytes(content)
    with pytest.raises(ValueError, match="thesis.txt is no file of answers .*; it was left as it is"):
        ServedModel("m", "http://localhost:1/v1", answers=tmp_path / "thesis.txt")
    assert (tmp_path / "thesis.txt").read_bytes() == content


def test_a_slow_server_and_one_that_is_not_there():
    def slow(path, request, number):
        time.sleep(1)
        return 200, {}, completion(" late")

    with endpoint(slow) as (base_url, seen):
        with pytest.raises(EndpointError, match=r"did not answer in 0.2 s; give it more with timeout="):
            ServedModel("m", base_url, timeout=0.2, retries=1).generate(["a"])
        assert len(seen) == 2
    with pytest.raises(EndpointError, match="cannot be reached; is the server running"):
        ServedModel("m", base_url, retries=0).generate(["a"])


def test_the_key_is_sent_and_never_shown_or_stored(tmp_path):
    def answer(path, request, number):
        if number == 0:
            return 200, {}, completion(" fine")
        return (401 if number == 1 else 400), {}, {"error": {"message": f"bad key {KEY}"}}

    kept = tmp_path / "answers.jsonl"
    with endpoint(answer) as (base_url, seen):
        served = ServedModel("m", base_url, answers=kept)
        served.generate(["a"])
        assert seen[0][2]["authorization"] == f"Bearer {KEY}"
        for message in ("the key in OPENAI_API_KEY is wrong", "status 400"):
            with pytest.raises(EndpointError, match=message) as caught:
                served.generate(["b"])
            assert KEY not in str(caught.value) and caught.value.__cause__.__cause__ is None
        assert KEY not in kept.read_text() and KEY not in repr(served) and KEY not in str(vars(served).get("name"))


def test_chat_sends_a_users_message_and_knows_no_probabilities():
    with endpoint(lambda path, request, number: (200, {}, chat_completion("Yes, it is."))) as (base_url, seen):
        served = ServedModel("m", base_url, chat=True)
        (sample,) = served.generate(["is it large ?"], max_tokens=7)[0]
        path, request, _ = seen[0]
        assert path == "/v1/chat/completions" and request["messages"] == [{"role": "user", "content": "is it large ?"}]
        assert request["max_tokens"] == 7 and sample.text == "Yes, it is." and np.isnan(sample.log_probability)
        with pytest.raises(NoLogProbabilities, match="is asked by chat"):
            served.score(["a"], [" b"])
        assert choose(served, ["is it large ?"], [" yes", " no"]) == [" yes"]


def test_samples_are_asked_for_one_by_one_until_they_are_enough():
    with endpoint(lambda path, request, number: (200, {}, completion(f" word {request['seed']}\nmore"))) as (base_url, seen):
        served = ServedModel("m", base_url)
        (samples,) = served.generate(["a"], n=5, temperature=1.0, stop="\n", until=lambda texts: len(texts) == 3)
        assert len(samples) == len({s.text for s in samples}) == len(seen) == 3
        assert all("\n" not in s.text and s.finish == "stop" for s in samples)
        (again,) = served.generate(["a"], n=5, temperature=1.0, stop="\n", until=lambda texts: len(texts) == 3)
        assert [s.text for s in again] == [s.text for s in samples]
        assert len(seen) == 3


def test_a_text_matches_the_label_it_begins_with():
    labels = (" yes", " no", " not at all")
    assert match(" Yes, of course", labels) == " yes"
    assert match("not at all .", labels) == " not at all"
    assert match("nothing", labels) is None and match("", labels) is None
    with pytest.raises(ValueError, match="expected two or more different ones"):
        choose(None, ["a"], [" yes", "yes"])


def test_a_search_without_gradients_finds_the_same_behind_an_endpoint(local):
    def answer(path, request, number):
        (sample,) = local.generate([request["prompt"]], stop=tuple(request["stop"]), max_tokens=request["max_tokens"])[0]
        return 200, {}, completion(sample.text)

    objective = answers("capital", 4, 3, wanted_tier="tiny")
    method = WrittenPrompts(BlankFiller(load("bert-middle", "tiny")), count=4, best=1, variations=2)
    with endpoint(answer) as (base_url, seen):
        there = search(method, objective, ServedModel("m", base_url), budget=60)
    assert seen and there == search(method, objective, local, budget=60)
