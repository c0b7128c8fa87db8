/* Brings the widgets of a page to life: those that come into view load their code and data, the
 * weights of a model load when a reader first asks for an answer. Scripts and no `fetch`, which
 * browsers refuse on file://. */
(function () {
  "use strict";
  const base = document.currentScript.src.replace(/loader\.js.*$/, "");
  const scripts = new Map(); // name -> promise of its script
  const provided = new Map(); // name -> what a script of data handed over
  const models = new Map(); // role -> promise of {model, tokenizer, ...}

  function script(name) {
    if (!scripts.has(name)) {
      scripts.set(name, new Promise((resolve, reject) => {
        const element = document.createElement("script");
        element.src = `${base}${name}.js`;
        element.onload = resolve;
        element.onerror = () => {
          scripts.delete(name); // so that it can be asked for again
          reject(new Error(`${name}.js could not be loaded`));
        };
        document.head.append(element);
      }));
    }
    return scripts.get(name);
  }

  /** What the script of data `name` hands over. */
  async function data(name) {
    await script(name);
    return provided.get(name);
  }

  /** The model in a role ("gpt", "bert"), loaded once. */
  function model(role) {
    if (!models.has(role)) models.set(role, read(role).catch((error) => { models.delete(role); throw error; }));
    return models.get(role);
  }

  async function read(role) {
    const [files] = await Promise.all([data(`weights-${role}`), script("engine")]);
    provided.delete(`weights-${role}`); // the text is not needed twice
    const { fromBase64, load } = globalThis.courseEngine;
    const { model, tokenizer } = load({ ...files, weights: fromBase64(files.weights) });
    return { name: files.name, model, tokenizer, mask: tokenizer.ids.get(files.mask) };
  }

  async function start(element) {
    const name = element.dataset.live;
    const [content] = await Promise.all([data(`data-${name}`), script("widgets")]);
    globalThis.courseLive.widgets[content.kind](element, content);
  }

  globalThis.courseLive = { provide: (name, value) => provided.set(name, value), model, widgets: {} };

  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries.filter((each) => each.isIntersecting)) {
      watcher.unobserve(entry.target);
      start(entry.target).catch((error) => console.error(error)); // what stands there stays
    }
  }, { rootMargin: "300px" });
  for (const element of document.querySelectorAll("[data-live]")) watcher.observe(element);
})();
