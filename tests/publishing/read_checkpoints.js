/* Reads {engine, runs: [{folder, texts, cached}]} on stdin; writes, for each run and text, the
 * token ids and the logits of every token, 32-bit numbers in base64. `cached` reads a text token by
 * token. */
"use strict";
const fs = require("fs");
const path = require("path");
const { engine, runs } = JSON.parse(fs.readFileSync(0, "utf8"));
const { load } = require(engine);

const json = (folder, name) => JSON.parse(fs.readFileSync(path.join(folder, name), "utf8"));

function logits(model, ids, cached) {
  if (!cached) {
    const { states } = model.read(ids);
    return ids.map((_, t) => base64(model.logits(states, t)));
  }
  let past;
  return ids.map((id) => {
    const now = model.read([id], past);
    past = now.past;
    return base64(model.logits(now.states, 0));
  });
}

function base64(numbers) {
  return Buffer.from(numbers.buffer).toString("base64");
}

const answers = runs.map(({ folder, texts, cached }) => {
  const { model, tokenizer } = load({
    config: json(folder, "config.json"),
    tokenizer: json(folder, "tokenizer.json"),
    weights: fs.readFileSync(path.join(folder, "model.safetensors")),
  });
  return texts.map((text) => {
    const ids = tokenizer.encode(text);
    return { ids, logits: logits(model, ids, cached), decoded: tokenizer.decode(ids) };
  });
});
process.stdout.write(JSON.stringify(answers));
