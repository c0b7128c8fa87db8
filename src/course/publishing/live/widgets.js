/* The widgets with a live model: a blank that moves, demonstrations beside the exact posterior, a
 * chain that unfolds and a vote, and a slider over recorded figures. Plain controls, so that the
 * keyboard alone works; each answer is told to screen readers by one line that is read aloud. */
(function () {
  "use strict";
  const TOP = 5;

  // ---------------------------------------------------------------------------------- elements

  /** An element with attributes ("class", "aria-…", onclick) and children (elements, texts). */
  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value === true) element.setAttribute(name, "");
      else if (value !== false && value != null) element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  }

  const button = (label, onclick, attributes = {}) => make("button", { type: "button", onclick, ...attributes }, label);
  const percent = (share) => (share > 0 && share < 0.005 ? "< 1 %" : `${Math.round(100 * share)} %`);
  const readable = (word) => (word === "\n" ? "⏎" : word === "[END]" ? "(end)" : word);
  const breathe = () => new Promise((resolve) => setTimeout(resolve));
  const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

  /** Words with their shares as bars, in a table. A row is {word, share, low, high, mark}. */
  function bars({ title, role }, rows) {
    return make("table", { class: "live-bars" }, make("caption", {}, title), make("tbody", {}, ...rows.map((row) => {
      const bar = make("span", { class: `live-bar live-${row.role ?? role}` });
      bar.style.inlineSize = `${100 * row.share}%`;
      const track = make("span", { class: "live-track" }, bar);
      if (row.low !== undefined) {
        const whisker = make("span", { class: "live-whisker" });
        whisker.style.insetInlineStart = `${100 * row.low}%`;
        whisker.style.inlineSize = `${100 * (row.high - row.low)}%`;
        track.append(whisker);
      }
      return make("tr", {},
        make("th", { scope: "row" }, readable(row.word), ...(row.mark ? [make("small", {}, `\u00a0${row.mark}`)] : [])),
        make("td", { class: "live-cell" }, track),
        make("td", { class: "live-share" }, row.text ?? percent(row.share)));
    })));
  }

  /** What a widget is made of: a place for controls, one for answers, a line that says what goes
   * on, and one that is read aloud. */
  function frame(element, label) {
    const parts = {
      controls: make("div", { class: "live-controls" }),
      answers: make("div", { class: "live-columns" }),
      more: make("div", { class: "live-more" }),
      status: make("p", { class: "live-status" }),
      aloud: make("p", { class: "live-aloud", "aria-live": "polite" }),
    };
    element.setAttribute("role", "group");
    element.setAttribute("aria-label", label);
    element.replaceChildren(...Object.values(parts));
    element.classList.add("live-ready");
    return parts;
  }

  /** `ask(work)` runs `work(models, isLatest)` for a widget and says how it goes; `cancel()` drops
   * what is going on. Work that was dropped, or asked for anew, gives up: `isLatest()` is false
   * then. `dataset.state` is for tests. */
  function asking(element, parts, roles) {
    let latest = 0;

    function cancel() {
      latest++;
      parts.status.textContent = "";
      element.dataset.state = "ready";
    }

    async function ask(work) {
      const own = ++latest;
      const isLatest = () => own === latest;
      element.dataset.state = "busy";
      try {
        const loading = setTimeout(() => { parts.status.textContent = "Loading the model: a few megabytes, once …"; }, 100);
        const models = await Promise.all(roles.map((role) => courseLive.model(role))).finally(() => clearTimeout(loading));
        if (!isLatest()) return;
        parts.status.textContent = "Computing …";
        await breathe(); // so that the line is seen
        const before = performance.now();
        const said = await work(models, isLatest);
        if (!isLatest()) return;
        const seconds = ((performance.now() - before) / 1000).toFixed(1);
        parts.status.textContent = `Computed in this page by ${models.map((each) => each.name).join(" and ")} in ${seconds} s.`;
        parts.aloud.textContent = said;
        element.dataset.state = "done";
      } catch (error) {
        if (!isLatest()) return;
        parts.status.textContent = `No answer: ${error.message}.`;
        element.dataset.state = "failed";
      }
    }

    return { ask, cancel };
  }

  const RECORDED = "Computed when the book was built; what you change is computed in this page.";

  // --------------------------------------------------------------------------------- probability

  /** [{word, share}] of the likeliest words by logits. */
  function likeliest(logits, tokenizer) {
    const log = courseEngine.logSoftmax(logits);
    return Array.from(log, (value, id) => ({ word: tokenizer.words[id], share: Math.exp(value) }))
      .sort((a, b) => b.share - a.share).slice(0, TOP);
  }

  /** The log probability of `ids` after what was read. */
  function score(model, read, last, ids) {
    let total = courseEngine.logSoftmax(model.logits(read.states, last))[ids[0]];
    if (ids.length === 1) return total;
    const rest = model.read(ids.slice(0, -1), read.past);
    for (let t = 1; t < ids.length; t++) total += courseEngine.logSoftmax(model.logits(rest.states, t - 1))[ids[t]];
    return total;
  }

  // --------------------------------------------------------------------------------------- blank

  function blank(element, data) {
    const parts = frame(element, "A sentence with a blank that two models fill in");
    const { ask } = asking(element, parts, data.models);
    let words = [...data.sentence];
    let at = data.at;
    const line = make("div", { class: "live-line", role: "radiogroup", "aria-label": "Which word is taken out?" });
    const out = make("p", { class: "live-out" });
    parts.controls.append(
      make("p", { class: "live-hint" }, "Press a word to take it out, or move the blank with the arrow keys."), line, out);
    if (element.dataset.live !== "front") parts.more.append(box());

    /** The word chips and what can be done with them. */
    function box() {
      const chips = data.chips.map(({ title, words: chosen }) => make("div", { class: "live-chips", role: "group", "aria-label": title },
        make("span", { class: "live-chips-title", "aria-hidden": "true" }, title),
        ...chosen.map((word) => button(word, () => change([...words, word]), { class: "live-chip", "aria-label": `add ${word}` }))));
      return make("details", { class: "live-box", open: true }, make("summary", {}, "Words to build a sentence of your own: press to add"),
        make("div", { class: "live-chips" },
          button("take back the last word", () => words.length > 1 && change(words.slice(0, -1))),
          button("start with an empty line", () => change([words[at]])),
          button("first sentence", () => change([...data.sentence], data.at))),
        ...chips);
    }

    function change(next, place = Math.min(at, next.length - 1)) {
      words = next;
      move(place);
    }

    function move(place, focus = false) {
      at = place;
      draw();
      if (focus) line.children[at].focus();
      ask(answer);
    }

    function draw() {
      line.replaceChildren(...words.map((word, number) => button(number === at ? "____" : word, () => move(number, true), {
        class: "live-word", role: "radio", "aria-checked": String(number === at), tabindex: number === at ? 0 : -1,
        "aria-label": number === at ? `${word}, taken out` : word,
        onkeydown: (event) => {
          const to = { ArrowLeft: number - 1, ArrowRight: number + 1, ArrowUp: number - 1, ArrowDown: number + 1, Home: 0, End: words.length - 1 }[event.key];
          if (to === undefined) return;
          event.preventDefault();
          if (to >= 0 && to < words.length) move(to, true);
        },
      })));
      out.textContent = `Taken out: ${words[at]}`;
    }

    /** Show the rows of each column, in the order of the recorded ones. */
    function show(...columns) {
      parts.answers.replaceChildren(...columns.map((rows, i) => bars(data.recorded[i], rows.map((row) => ({ ...row, mark: row.word === words[at] ? "✓" : "" })))));
    }

    async function answer([gpt, bert], isLatest) {
      const before = words.slice(0, at).join(" "), after = words.slice(at + 1).join(" ");
      const left = gpt.tokenizer.encode(before);
      const read = gpt.model.read(left);
      const from_left = likeliest(gpt.model.logits(read.states, left.length - 1), gpt.tokenizer);
      const both = bert.tokenizer.encode(words.join(" "));
      const place = at + 1; // behind the token that begins the text
      both[place] = bert.mask;
      const filled = likeliest(bert.model.logits(bert.model.read(both).states, place), bert.tokenizer);
      show(from_left, [], filled); // who waits for the candidates has something to read
      const rest = gpt.tokenizer.encode(after, false);
      const candidates = [...new Set([...data.chips.flatMap((group) => group.words), ...words])];
      const scores = [];
      for (const [number, word] of candidates.entries()) {
        if (number % 8 === 0) {
          await breathe();
          if (!isLatest()) return "";
          parts.status.textContent = `GPT reads candidate ${number + 1} of ${candidates.length} …`;
        }
        scores.push(score(gpt.model, read, left.length - 1, [gpt.tokenizer.ids.get(word), ...rest]));
      }
      const shares = Array.from(courseEngine.logSoftmax(Float64Array.from(scores)), Math.exp);
      const by_reading = candidates.map((word, i) => ({ word, share: shares[i] })).sort((a, b) => b.share - a.share).slice(0, TOP);
      show(from_left, by_reading, filled);
      const first = (rows) => `${readable(rows[0].word)}, ${percent(rows[0].share)}`;
      return `Blank in place of ${words[at]}. GPT from the left: ${first(from_left)}. GPT reading every candidate: ${first(by_reading)}. BERT: ${first(filled)}.`;
    }

    draw();
    show(...data.recorded.map(({ rows }) => rows.map(([word, share]) => ({ word, share }))));
    parts.status.textContent = RECORDED;
    element.dataset.state = "ready";
  }

  // ------------------------------------------------------------------------------ demonstrations

  function demonstrations(element, data) {
    const parts = frame(element, "Demonstrations, what a model answers after them, and the best possible answer");
    const { ask } = asking(element, parts, data.models);
    const [before, between, behind] = data.item.split(/\{x\}|\{y\}/);
    let shown = data.start.map((number) => ({ number, flipped: false }));
    const list = make("ol", { class: "live-list" });
    const query = make("p", { class: "live-query" }, `${before}${data.query}${between}`.trim(), make("strong", {}, " ____"));
    const ready = make("div", { class: "live-chips", role: "group", "aria-label": "Demonstrations to add" });
    parts.controls.append(list, query, ready,
      make("p", { class: "live-hint" }, `By “${data.right.task}” the answer is ${data.right.label}, by “${data.other.task}” it is ${data.other.label}.`));

    const label = ({ number, flipped }) => {
      const own = data.labels.indexOf(data.items[number][1]);
      return data.labels[flipped ? 1 - own : own];
    };
    const text = (each) => `${data.items[each.number][0]}${between}${label(each)}`;

    function change(next, focus) {
      shown = next;
      draw();
      (element.querySelector(`[data-key="${focus}"]:not(:disabled)`) ?? element.querySelector("button:not(:disabled)"))?.focus();
      ask(answer);
    }

    function swap(place, other) {
      const next = [...shown];
      [next[place], next[other]] = [next[other], next[place]];
      return next;
    }

    function draw() {
      list.replaceChildren(...shown.map((each, place) => {
        const act = (name, sign, next, disabled = false) => button(sign, () => change(next, `${name}${each.number}`), {
          class: "live-act", "aria-label": `${name} ${text(each)}`, title: name, "data-key": `${name}${each.number}`, disabled });
        return make("li", {},
          make("span", { class: each.flipped ? "live-item live-flipped" : "live-item" }, text(each), ...(each.flipped ? [make("small", {}, " flipped")] : [])),
          make("span", { class: "live-acts" },
            act("flip", "⇄", shown.map((one) => (one === each ? { ...each, flipped: !each.flipped } : one))),
            act("move up", "↑", swap(place, place - 1), place === 0),
            act("move down", "↓", swap(place, place + 1), place === shown.length - 1),
            act("delete", "✕", shown.filter((one) => one !== each))));
      }));
      const unused = [...data.items.keys()].filter((number) => shown.every((each) => each.number !== number));
      const full = shown.length >= data.most;
      ready.replaceChildren(
        make("span", { class: "live-chips-title" }, full ? `add (at most ${data.most})` : "add"),
        ...unused.map((number) => button(text({ number, flipped: false }), () => change([...shown, { number, flipped: false }], `flip${number}`), {
          class: "live-chip", disabled: full, "aria-label": `add ${text({ number, flipped: false })}` })),
        button("flip all", () => change(shown.map((each) => ({ ...each, flipped: !each.flipped })), "all"), { "data-key": "all", disabled: !shown.length }));
    }

    const best = () => data.posterior[shown.map(({ number, flipped }) => `${number}${flipped ? "-" : "+"}`).join("")];

    function show(shares) {
      const rows = (values) => [...data.labels.map((word, i) => ({ word, share: values[i] })),
        { word: "anything else", share: Math.max(0, 1 - values[0] - values[1]), role: "rest" }];
      const [model, posterior] = data.recorded;
      parts.answers.replaceChildren(bars(model, rows(shares)), bars(posterior, rows(best())));
    }

    async function answer([gpt]) {
      const items = shown.map((each) => `${before}${data.items[each.number][0]}${between}${label(each)}${behind}`);
      const prompt = [...items, `${before}${data.query}${between}`].join(" ");
      const ids = gpt.tokenizer.encode(prompt);
      const log = courseEngine.logSoftmax(gpt.model.logits(gpt.model.read(ids).states, ids.length - 1));
      const shares = data.labels.map((word) => Math.exp(log[gpt.tokenizer.ids.get(word)]));
      show(shares);
      const said = (values) => data.labels.map((word, i) => `${word} ${percent(values[i])}`).join(", ");
      return `${shown.length} demonstrations. GPT: ${said(shares)}. Best possible: ${said(best())}.`;
    }

    draw();
    show(data.recorded[0].rows);
    parts.status.textContent = RECORDED;
    element.dataset.state = "ready";
  }

  // --------------------------------------------------------------------------------------- chain

  /** Random numbers from 0 to 1 by a seed (mulberry32), so that a page can be shown twice. */
  function random(seed) {
    let state = seed >>> 0;
    return () => {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = Math.imul(state ^ (state >>> 15), state | 1);
      t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
  }

  /** An id drawn by logits at a temperature; the likeliest at 0. */
  function draw_id(logits, temperature, draw) {
    if (temperature === 0) return logits.indexOf(Math.max(...logits));
    const log = courseEngine.logSoftmax(logits.map((value) => value / temperature));
    let left = draw();
    for (let id = 0; id < log.length; id++) {
      left -= Math.exp(log[id]);
      if (left < 0) return id;
    }
    return log.length - 1;
  }

  function chain(element, data) {
    const parts = frame(element, "A model writes chains of thought, and their answers are counted");
    const { ask, cancel } = asking(element, parts, data.models);
    const sampled = (number) => ask((models, isLatest) => write(models, isLatest, number, Number(temperature.value)));
    const choice = make("select", { "aria-label": "Problem", onchange: () => reset() },
      ...data.problems.map((_, number) => make("option", { value: number }, `Problem ${number + 1}`)));
    const temperature = make("select", { "aria-label": "Temperature", onchange: () => reset() },
      ...[0.4, 0.7, 1, 1.3].map((value) => make("option", { value, selected: value === data.temperature }, `temperature ${value}`)));
    const question = make("p", { class: "live-question" });
    const chains = make("ol", { class: "live-chains" });
    parts.controls.append(
      make("div", { class: "live-chips" }, choice, temperature,
        button("the likeliest chain", () => ask((models, isLatest) => write(models, isLatest, 1, 0)), { "data-key": "greedy" }),
        button("sample one chain", () => sampled(1), { "data-key": "one" }),
        button(`sample ${data.voters} and vote`, () => sampled(data.voters), { "data-key": "many" })),
      question, chains);
    parts.more.append(make("p", { class: "live-hint" }, `Of ${data.drawn} problems these are the ${data.problems.length} on which the model's samples agree least.`));
    let votes = [];
    let greedy = true; // whether the chains that stand there were not sampled
    let seed = 0;
    const prompts = new Map(); // problem -> what reading its prompt gave

    const problem = () => data.problems[choice.value];

    function reset() {
      cancel();
      clear();
    }

    function clear() {
      votes = [];
      chains.replaceChildren();
      parts.answers.replaceChildren();
      question.textContent = problem().question;
    }

    /** The answer that a chain states, or none. */
    function stated(text) {
      const behind = text.split(`${data.announce} `)[1];
      return behind ? behind.split(" ")[0] : "no answer";
    }

    function count() {
      const counts = new Map();
      for (const vote of votes) counts.set(vote, (counts.get(vote) ?? 0) + 1);
      const rows = [...counts].sort((a, b) => b[1] - a[1]).map(([word, n]) => ({
        word, share: n / votes.length, text: `${n} of ${votes.length}`, mark: word === problem().answer ? "✓ right" : "" }));
      parts.answers.replaceChildren(bars({ title: "Votes", role: "prompted" }, rows));
      return rows;
    }

    async function write([gpt], isLatest, number, at) {
      if (number > 1 || greedy || at === 0) clear(); // single samples are added to those before
      greedy = at === 0;
      if (!prompts.has(choice.value)) {
        const ids = gpt.tokenizer.encode(problem().prompt);
        const read = gpt.model.read(ids);
        prompts.set(choice.value, { past: read.past, logits: gpt.model.logits(read.states, ids.length - 1) });
      }
      const pause = number > 1 || calm() ? 0 : 60;
      for (let n = 0; n < number; n++) {
        parts.status.textContent = `Writing chain ${n + 1} of ${number} …`;
        const line = make("li", {});
        chains.append(line);
        const text = await unfold(gpt, prompts.get(choice.value), at, random(++seed), line, pause, isLatest);
        if (!isLatest()) { line.remove(); return ""; }
        const answer = stated(text);
        line.classList.add(answer === problem().answer ? "live-right" : "live-wrong");
        line.append(make("small", {}, answer === problem().answer ? " ✓" : " ✗"));
        votes.push(answer);
        count();
      }
      const [first] = count();
      return `${votes.length} chains. ${first.word} has ${first.text} votes. The right answer is ${problem().answer}. ${number === 1 ? `The chain: ${chains.lastChild.textContent}` : ""}`;
    }

    /** Write one chain token by token into a line. */
    async function unfold(gpt, { past, logits }, at, draw, line, pause, isLatest) {
      const stop = gpt.tokenizer.encode(data.stop, false)[0];
      const written = [];
      while (written.length < data.most) {
        const id = draw_id(logits, at, draw);
        if (id === stop || gpt.tokenizer.special.has(id)) break;
        written.push(id);
        line.textContent = gpt.tokenizer.decode(written);
        const read = gpt.model.read([id], past);
        past = read.past;
        logits = gpt.model.logits(read.states, 0);
        if (pause || written.length % 8 === 0) await new Promise((resolve) => setTimeout(resolve, pause));
        if (!isLatest()) break;
      }
      return gpt.tokenizer.decode(written);
    }

    question.textContent = problem().question;
    chains.replaceChildren(make("li", {}, data.recorded));
    parts.status.textContent = RECORDED;
    element.dataset.state = "ready";
  }

  // -------------------------------------------------------------------------------------- slider

  function slider(element, data) {
    const parts = frame(element, `Recorded figures by ${data.label}`);
    const value = make("output", { class: "live-value" });
    const input = make("input", { type: "range", min: 0, max: data.options.length - 1, step: 1, value: 0, oninput: () => show(), "aria-label": data.label });
    parts.controls.append(make("label", { class: "live-slider" }, make("span", {}, `${data.label}: `, value), input));

    function show() {
      const option = Number(input.value);
      value.textContent = data.options[option];
      input.setAttribute("aria-valuetext", data.options[option]);
      const rows = data.rows.map(([word, role], i) => {
        const [mean, low, high] = data.values[option][i];
        return { word, role, share: mean / 100, low: low / 100, high: high / 100, text: `${mean.toFixed(1)} %` };
      });
      parts.answers.replaceChildren(bars({ title: "Accuracy, with the 95 % interval" }, rows));
      element.dataset.state = "done";
    }

    show();
    parts.status.textContent = data.chance === null ? "Recorded." : `Recorded. Guessing gives ${data.chance} %.`;
  }

  Object.assign(courseLive.widgets, { blank, demonstrations, chain, slider });
})();
