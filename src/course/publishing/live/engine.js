/* The shipped models in plain JavaScript: reads safetensors and computes the logits of GPT-NeoX
 * (with a KV cache), BERT and ModernBERT. Runs in a page, from file:// too, and in node.
 *
 * A test holds its token ids to those of `tokenizers` and its logits to those of PyTorch
 * (tests/publishing/test_live_engine.py). Sizes and words are read from the files; nothing here
 * knows which models the course ships.
 *
 * Shapes: T tokens read now, P tokens read before (the past), D width, H heads, S = D / H, V words.
 * A matrix is {data, shape}, row by row, as PyTorch stores it.
 */
(function (root) {
  "use strict";

  // ------------------------------------------------------------------------------------ files

  /** Base64 to bytes. */
  function fromBase64(text) {
    if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text); // much faster where it exists
    const binary = atob(text);
    const bytes = new Uint8Array(binary.length);
    for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
    return bytes;
  }

  /** The value of a half-precision number, by its 16 bits. */
  function fromHalf(bits) {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 0x1f;
    const fraction = bits & 0x3ff;
    if (exponent === 0) return sign * fraction * 2 ** -24; // subnormal
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }

  const HALF = Float32Array.from({ length: 65536 }, (_, bits) => fromHalf(bits));

  function fromHalves(buffer) {
    const bits = new Uint16Array(buffer);
    const values = new Float32Array(bits.length);
    for (let i = 0; i < bits.length; i++) values[i] = HALF[bits[i]];
    return values;
  }

  const DECODERS = {
    F16: fromHalves,
    F32: (buffer) => new Float32Array(buffer),
  };

  /** name -> {shape, data} of a safetensors file (https://github.com/huggingface/safetensors). */
  function readSafetensors(bytes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const length = Number(view.getBigUint64(0, true));
    const start = 8 + length;
    if (start > bytes.length) {
      throw new Error(`a header of ${length} bytes in a file of ${bytes.length}: the weights are cut off`);
    }
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, start)));
    const tensors = {};
    for (const [name, entry] of Object.entries(header)) {
      if (name === "__metadata__") continue;
      const decode = DECODERS[entry.dtype];
      if (!decode) throw new Error(`${name} is ${entry.dtype}: expected ${Object.keys(DECODERS).join(" or ")}`);
      const [from, to] = entry.data_offsets.map((offset) => start + offset);
      if (to > bytes.length) throw new Error(`${name} ends at byte ${to} of ${bytes.length}: the weights are cut off`);
      const part = bytes.buffer.slice(bytes.byteOffset + from, bytes.byteOffset + to);
      tensors[name] = { shape: entry.shape, data: decode(part) };
    }
    return tensors;
  }

  // -------------------------------------------------------------------------------- tokenizer

  /** The word-level tokenizer of a `tokenizer.json`. Text is text: no name in it, such as [MASK],
   * becomes a special token; those are put in by their ids. */
  class Tokenizer {
    constructor(file) {
      const { model, normalizer, pre_tokenizer: split } = file;
      if (model.type !== "WordLevel" || normalizer?.type !== "Lowercase" || split?.type !== "Split"
        || split.behavior !== "Removed" || !split.invert) {
        throw new Error(`a tokenizer of type ${model.type}: expected WordLevel over lower-case words that one pattern matches`);
      }
      this.ids = new Map(Object.entries(model.vocab));
      this.words = [];
      for (const [word, id] of this.ids) this.words[id] = word;
      this.unknown = this.ids.get(model.unk_token);
      this.pattern = new RegExp(split.pattern.Regex, "gu");
      this.special = new Set(file.added_tokens.map((token) => token.id));
      this.frame = file.post_processor.single; // e.g. [CLS] $A [SEP]
    }

    /** The ids of a text, with (`framed`) or without what the tokenizer puts around a text. */
    encode(text, framed = true) {
      const found = text.toLowerCase().match(this.pattern) ?? [];
      const ids = found.map((word) => this.ids.get(word) ?? this.unknown);
      if (!framed) return ids;
      return this.frame.flatMap((part) => part.SpecialToken ? [this.ids.get(part.SpecialToken.id)] : ids);
    }

    /** Words with a space between them, as the corpus is written. */
    decode(ids) {
      return ids.map((id) => this.words[id]).join(" ");
    }
  }

  // --------------------------------------------------------------------------------- numerics

  /** y (T, out) = x (T, in) W^T + b. */
  function linear(x, { shape: [out, size], data }, bias) {
    const rows = x.length / size;
    const y = new Float32Array(rows * out);
    for (let o = 0; o < out; o++) {
      const w = o * size;
      const start = bias ? bias.data[o] : 0;
      for (let t = 0; t < rows; t++) {
        const row = t * size;
        let a = 0, b = 0, c = 0, d = 0; // four sums, so that additions do not wait for one another
        let i = 0;
        for (; i + 3 < size; i += 4) {
          a += data[w + i] * x[row + i];
          b += data[w + i + 1] * x[row + i + 1];
          c += data[w + i + 2] * x[row + i + 2];
          d += data[w + i + 3] * x[row + i + 3];
        }
        for (; i < size; i++) a += data[w + i] * x[row + i];
        y[t * out + o] = start + (a + b) + (c + d);
      }
    }
    return y;
  }

  /** LayerNorm over rows of the width of `weight`. */
  function layerNorm(x, weight, bias, epsilon) {
    const size = weight.data.length;
    const y = new Float32Array(x.length);
    for (let row = 0; row < x.length; row += size) {
      let mean = 0, variance = 0;
      for (let i = 0; i < size; i++) mean += x[row + i] / size;
      for (let i = 0; i < size; i++) variance += (x[row + i] - mean) ** 2 / size;
      const scale = 1 / Math.sqrt(variance + epsilon);
      for (let i = 0; i < size; i++) {
        y[row + i] = (x[row + i] - mean) * scale * weight.data[i] + (bias ? bias.data[i] : 0);
      }
    }
    return y;
  }

  /** Error function, at most 1.5e-7 off (Abramowitz and Stegun 1964, 7.1.26). */
  function erf(x) {
    const t = 1 / (1 + 0.3275911 * Math.abs(x));
    const sum = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
    return Math.sign(x) * (1 - sum * Math.exp(-x * x));
  }

  const gelu = (x) => x.map((value) => 0.5 * value * (1 + erf(value * Math.SQRT1_2)));

  function add(...terms) {
    return terms[0].map((_, i) => terms.reduce((sum, term) => sum + term[i], 0));
  }

  function logSoftmax(logits) {
    let largest = -Infinity, total = 0;
    for (const value of logits) if (value > largest) largest = value;
    for (const value of logits) total += Math.exp(value - largest);
    return logits.map((value) => value - largest - Math.log(total));
  }

  /** Rotary positions (Su et al. 2021) in place: the first `rotated` numbers of every head of x
   * (T, D), which stands at the positions from `offset` on. */
  function rotate(x, { heads, size, rotated, theta }, offset) {
    const half = rotated / 2;
    const width = heads * size;
    for (let t = 0; t < x.length / width; t++) {
      for (let i = 0; i < half; i++) {
        const angle = (offset + t) * theta ** (-i / half);
        const cos = Math.cos(angle), sin = Math.sin(angle);
        for (let at = t * width + i; at < (t + 1) * width; at += size) {
          const a = x[at], b = x[at + half];
          x[at] = a * cos - b * sin;
          x[at + half] = b * cos + a * sin;
        }
      }
    }
  }

  /** Attention of q (T, D) on keys and values (P + T, D): (T, D). */
  function attend(q, keys, values, width, heads, causal) {
    const out = new Float32Array(q.length);
    const size = width / heads, total = keys.length / width, rows = q.length / width;
    const scale = 1 / Math.sqrt(size);
    for (let t = 0; t < rows; t++) {
      const visible = causal ? total - rows + t + 1 : total;
      for (let h = 0; h < heads; h++) {
        const at = t * width + h * size;
        const scores = new Float64Array(visible);
        let largest = -Infinity, sum = 0;
        for (let j = 0; j < visible; j++) {
          const key = j * width + h * size;
          let dot = 0;
          for (let i = 0; i < size; i++) dot += q[at + i] * keys[key + i];
          scores[j] = dot * scale;
          if (scores[j] > largest) largest = scores[j];
        }
        for (let j = 0; j < visible; j++) sum += scores[j] = Math.exp(scores[j] - largest);
        for (let j = 0; j < visible; j++) {
          const value = j * width + h * size;
          const weight = scores[j] / sum;
          for (let i = 0; i < size; i++) out[at + i] += weight * values[value + i];
        }
      }
    }
    return out;
  }

  /** Columns of x (T, columns): the numbers that `column(i)` names, for i < width. */
  function pick(x, columns, width, column) {
    const rows = x.length / columns;
    const y = new Float32Array(rows * width);
    for (let t = 0; t < rows; t++) {
      for (let i = 0; i < width; i++) y[t * width + i] = x[t * columns + column(i)];
    }
    return y;
  }

  function embed(ids, { shape: [, width], data }) {
    const x = new Float32Array(ids.length * width);
    ids.forEach((id, t) => x.set(data.subarray(id * width, (id + 1) * width), t * width));
    return x;
  }

  function joined(past, now) {
    const data = new Float32Array(past.length + now.length);
    data.set(past);
    data.set(now, past.length);
    return data;
  }

  // ----------------------------------------------------------------------------------- models

  /** What the three architectures share. `read` gives the last states, `logits` a row of them. */
  class Transformer {
    constructor(config, tensors) {
      this.config = config;
      this.tensors = tensors;
      this.width = config.hidden_size;
      this.heads = config.num_attention_heads;
      this.window = config.max_position_embeddings;
      const act = config.hidden_act ?? config.hidden_activation;
      if (act !== "gelu") throw new Error(`activation ${act}: expected gelu`);
    }

    tensor(name) {
      if (!this.tensors[name]) throw new Error(`the weights have no ${name}`);
      return this.tensors[name];
    }

    linear(x, name) {
      return linear(x, this.tensor(`${name}.weight`), this.tensors[`${name}.bias`]);
    }

    norm(x, name) {
      const epsilon = this.config.layer_norm_eps ?? this.config.norm_eps;
      return layerNorm(x, this.tensor(`${name}.weight`), this.tensors[`${name}.bias`], epsilon);
    }

    /** The settings of the rotary positions. */
    rotary(settings) {
      if (settings.rope_type !== "default") throw new Error(`rope_type ${settings.rope_type}: expected default`);
      const size = this.width / this.heads;
      const rotated = Math.floor(size * (settings.partial_rotary_factor ?? 1));
      return { heads: this.heads, size, rotated, theta: settings.rope_theta };
    }

    check(ids, before) {
      if (!ids.length) throw new RangeError("no tokens: expected at least one");
      if (before + ids.length > this.window) {
        throw new RangeError(`${before + ids.length} tokens, and the window holds ${this.window}: shorten the text`);
      }
    }

    row(states, t) {
      return states.subarray(t * this.width, (t + 1) * this.width);
    }
  }

  /** GPT-NeoX (Black et al. 2022). The past is never changed, so several texts can share one. */
  class GPTNeoX extends Transformer {
    constructor(config, tensors) {
      super(config, tensors);
      this.rope = this.rotary(config.rope_parameters);
      this.nothing = {
        length: 0,
        layers: Array.from({ length: config.num_hidden_layers }, () => ({ keys: new Float32Array(0), values: new Float32Array(0) })),
      };
    }

    /** {states (T, D), past} after `ids`, which stand behind `past`. */
    read(ids, past = this.nothing) {
      this.check(ids, past.length);
      let x = embed(ids, this.tensor("gpt_neox.embed_in.weight"));
      const layers = past.layers.map((layer, i) => {
        const name = `gpt_neox.layers.${i}`;
        const { out, cache } = this.attention(this.norm(x, `${name}.input_layernorm`), `${name}.attention`, layer, past.length);
        const between = this.config.use_parallel_residual ? x : add(x, out);
        const mlp = this.mlp(this.norm(between, `${name}.post_attention_layernorm`), `${name}.mlp`);
        x = this.config.use_parallel_residual ? add(x, out, mlp) : add(between, mlp);
        return cache;
      });
      const states = this.norm(x, "gpt_neox.final_layer_norm");
      return { states, past: { length: past.length + ids.length, layers } };
    }

    attention(x, name, layer, before) {
      const size = this.width / this.heads;
      const all = this.linear(x, `${name}.query_key_value`); // (T, H, [q, k, v], S)
      const part = (n) => pick(all, 3 * this.width, this.width, (i) => 3 * size * Math.floor(i / size) + n * size + i % size);
      const [q, k, v] = [part(0), part(1), part(2)];
      rotate(q, this.rope, before);
      rotate(k, this.rope, before);
      const cache = { keys: joined(layer.keys, k), values: joined(layer.values, v) };
      const seen = attend(q, cache.keys, cache.values, this.width, this.heads, true);
      return { out: this.linear(seen, `${name}.dense`), cache };
    }

    mlp(x, name) {
      return this.linear(gelu(this.linear(x, `${name}.dense_h_to_4h`)), `${name}.dense_4h_to_h`);
    }

    /** The logits (V,) of the word after token `t` of what was read. */
    logits(states, t) {
      const out = this.tensors["embed_out.weight"] ?? this.tensor("gpt_neox.embed_in.weight");
      return linear(this.row(states, t), out);
    }
  }

  /** BERT (Devlin et al. 2019), post-norm, segment 0. */
  class BERT extends Transformer {
    read(ids) {
      this.check(ids, 0);
      const name = "bert.embeddings";
      let x = add(
        embed(ids, this.tensor(`${name}.word_embeddings.weight`)),
        embed(ids.map((_, t) => t), this.tensor(`${name}.position_embeddings.weight`)),
        embed(ids.map(() => 0), this.tensor(`${name}.token_type_embeddings.weight`)),
      );
      x = this.norm(x, `${name}.LayerNorm`);
      for (let i = 0; i < this.config.num_hidden_layers; i++) x = this.layer(x, `bert.encoder.layer.${i}`);
      return { states: x };
    }

    layer(x, name) {
      const [q, k, v] = ["query", "key", "value"].map((part) => this.linear(x, `${name}.attention.self.${part}`));
      const seen = attend(q, k, v, this.width, this.heads, false);
      x = this.norm(add(x, this.linear(seen, `${name}.attention.output.dense`)), `${name}.attention.output.LayerNorm`);
      const mlp = this.linear(gelu(this.linear(x, `${name}.intermediate.dense`)), `${name}.output.dense`);
      return this.norm(add(x, mlp), `${name}.output.LayerNorm`);
    }

    /** The logits (V,) of the word at token `t`. */
    logits(states, t) {
      const head = "cls.predictions";
      const x = gelu(this.linear(this.row(states, t), `${head}.transform.dense`));
      const out = this.tensors[`${head}.decoder.weight`] ?? this.tensor("bert.embeddings.word_embeddings.weight");
      return linear(this.norm(x, `${head}.transform.LayerNorm`), out, this.tensor(`${head}.bias`));
    }
  }

  /** ModernBERT (Warner et al. 2024), pre-norm with gated units; all layers see the whole text. */
  class ModernBERT extends Transformer {
    constructor(config, tensors) {
      super(config, tensors);
      if (config.layer_types.some((type) => type !== "full_attention")) {
        throw new Error(`layers ${config.layer_types}: expected full_attention in all`);
      }
      this.rope = this.rotary(config.rope_parameters.full_attention);
    }

    read(ids) {
      this.check(ids, 0);
      let x = this.norm(embed(ids, this.tensor("model.embeddings.tok_embeddings.weight")), "model.embeddings.norm");
      for (let i = 0; i < this.config.num_hidden_layers; i++) {
        const name = `model.layers.${i}`;
        x = add(x, this.attention(i ? this.norm(x, `${name}.attn_norm`) : x, `${name}.attn`)); // the first layer has no norm of its own
        x = add(x, this.mlp(this.norm(x, `${name}.mlp_norm`), `${name}.mlp`));
      }
      return { states: this.norm(x, "model.final_norm") };
    }

    attention(x, name) {
      const all = this.linear(x, `${name}.Wqkv`); // (T, [q, k, v], D)
      const [q, k, v] = [0, 1, 2].map((n) => pick(all, 3 * this.width, this.width, (i) => n * this.width + i));
      rotate(q, this.rope, 0);
      rotate(k, this.rope, 0);
      return this.linear(attend(q, k, v, this.width, this.heads, false), `${name}.Wo`);
    }

    mlp(x, name) {
      const both = this.linear(x, `${name}.Wi`); // (T, [input, gate])
      const size = this.config.intermediate_size;
      const gate = pick(both, 2 * size, size, (i) => size + i);
      const input = gelu(pick(both, 2 * size, size, (i) => i));
      return this.linear(input.map((value, i) => value * gate[i]), `${name}.Wo`);
    }

    /** The logits (V,) of the word at token `t`. */
    logits(states, t) {
      const x = this.norm(gelu(this.linear(this.row(states, t), "head.dense")), "head.norm");
      const out = this.tensors["decoder.weight"] ?? this.tensor("model.embeddings.tok_embeddings.weight");
      return linear(x, out, this.tensors["decoder.bias"]);
    }
  }

  const ARCHITECTURES = { gpt_neox: GPTNeoX, bert: BERT, modernbert: ModernBERT };

  /** {model, tokenizer} of the files of a checkpoint: config.json and tokenizer.json as objects,
   * the safetensors as bytes. */
  function load({ config, tokenizer, weights }) {
    const Architecture = ARCHITECTURES[config.model_type];
    if (!Architecture) {
      throw new Error(`model_type ${config.model_type}: expected ${Object.keys(ARCHITECTURES).join(", ")}`);
    }
    return { model: new Architecture(config, readSafetensors(weights)), tokenizer: new Tokenizer(tokenizer) };
  }

  const engine = { fromBase64, readSafetensors, Tokenizer, logSoftmax, load };
  root.courseEngine = engine;
  if (typeof module === "object") module.exports = engine;
})(globalThis);
