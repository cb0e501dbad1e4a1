// The question explorer. Whatever comes from a file becomes text (textContent), never HTML.
(() => {
const root = document.getElementById("explorer");
if (!root) return;
const PER_PAGE = 20;
const MOST_MARKS = 20; // of one answer in a passage
const waiting = {};
const loaded = {};
window.bertsquadQuestions = (name, data) => waiting[name]?.(data);

function load(name) {
  loaded[name] ??= new Promise((done, failed) => {
    waiting[name] = done;
    const script = document.createElement("script");
    script.src = `${root.dataset.folder}/${name}.js`;
    script.onerror = () => {
      delete loaded[name];
      failed(new Error(`${root.dataset.folder}/${name}.js is not beside this page: keep the two together`));
    };
    document.head.append(script);
  });
  return loaded[name];
}

function make(tag, properties = {}, ...children) {
  const { dataset, ...rest } = properties;
  const made = Object.assign(document.createElement(tag), rest);
  Object.assign(made.dataset, dataset);
  made.append(...children);
  return made;
}

// Text without case and accents: "Zurich" finds "Zürich".
const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
const count = (number) => number.toLocaleString("en");
const percent = (share) => `${(100 * share).toFixed(2)} %`;
const words = (text) => text.split(/\s+/).filter(Boolean).length;

let data; // index.js
let page = 0;
let chosen = []; // the numbers of the questions that pass the filters
const fields = {};

function show(message) {
  root.replaceChildren(make("p", { className: "status", textContent: message }));
}

function begin() {
  show("Loading the questions …");
  load("index").then(
    (index) => {
      data = index;
      if (data.id.length !== Number(root.dataset.count)) {
        show(`${root.dataset.folder}/ holds the questions of another report; make both again`);
        return;
      }
      data.search = data.text.map((text, n) =>
        plain([text, data.id[n], data.titles[data.title[n]], ...data.gold[n], ...data.answers[n]].join("\n")),
      );
      build();
      update();
    },
    (error) => show(error.message),
  );
}

function build() {
  const form = make("form", { className: "controls" });
  form.addEventListener("submit", (event) => event.preventDefault());
  const field = (name, label, control) => {
    fields[name] = control;
    control.id = `explorer-${name}`;
    form.append(make("div", {}, make("label", { htmlFor: control.id, textContent: label }), control));
    control.addEventListener("input", update);
  };
  const select = (options) =>
    make("select", {}, ...options.map(([value, text]) => make("option", { value, textContent: text })));
  const number = (placeholder) => make("input", { type: "number", min: 0, step: "any", placeholder });
  const models = data.models.map((model, n) => [n, model.name]);
  field("search", "search questions, articles and answers", make("input", { type: "search" }));
  field("model", "answers of", select(models));
  field("verdict", "that are", select([["", "anything"], ["right", "right"], ["wrong", "wrong"], ["partly", "wrong, but overlap"], ["missing", "not given"]]));
  field("other", "beside", select([["", "nobody"], ...models]));
  field("change", "where the answer", select([["", "is anything"], ["changed", "changed"], ["same", "is the same"], ["better", "got better"], ["worse", "got worse"], ["flipped", "turned right or wrong"]]));
  field("f1From", "F1 from, %", number("0"));
  field("f1To", "to, %", number("100"));
  field("length", "words of the", select([["question", "question"], ["gold", "shortest gold answer"], ["answer", "answer"], ["passage", "passage"]]));
  field("from", "from", number("0"));
  field("to", "to", number("any"));
  field("order", "order", select([["", "as in the dataset"], ["low", "lowest F1 first"], ["loss", "largest loss first"], ["gain", "largest gain first"], ["short", "shortest first"], ["long", "longest first"]]));
  const reset = make("button", { type: "reset", textContent: "reset" });
  form.addEventListener("reset", () => setTimeout(update));
  form.append(reset);
  const status = make("p", { className: "status" });
  status.setAttribute("aria-live", "polite");
  root.replaceChildren(form, status, make("ol", { className: "found" }), pages());
}

function pages() {
  const turn = (label, by) => {
    const button = make("button", { type: "button", textContent: label, dataset: { by } });
    button.addEventListener("click", () => {
      page += by;
      list();
      root.querySelector(".status").scrollIntoView({ block: "nearest" });
    });
    return button;
  };
  return make("div", { className: "pages" }, turn("← previous", -1), make("span"), turn("next →", 1));
}

// What a model answered to a question: text (null: nothing), F1 and exact match; undefined where it
// was not asked.
function answer(n, model) {
  const gave = data.gave[n][model];
  if (gave === null || gave === undefined) return undefined;
  if (gave < 0) return { text: null, f1: 0, exact: 0 };
  return { text: data.answers[n][gave], f1: data.f1[n][gave], exact: data.exact[n][gave] };
}

function lengthOf(n, said) {
  switch (fields.length.value) {
    case "question": return words(data.text[n]);
    case "gold": return Math.min(...data.gold[n].map(words), data.gold[n].length ? Infinity : 0);
    case "answer": return words(said.text ?? "");
    default: return data.words[n];
  }
}

function passes(n, needles) {
  const said = answer(n, Number(fields.model.value));
  if (said === undefined || !needles.every((needle) => data.search[n].includes(needle))) return false;
  const verdict = fields.verdict.value;
  if (verdict === "right" && !said.exact) return false;
  if (verdict === "wrong" && said.exact) return false;
  if (verdict === "partly" && (said.exact || said.f1 === 0)) return false;
  if (verdict === "missing" && said.text !== null) return false;
  const within = (value, from, to) =>
    (from.value === "" || value >= Number(from.value)) && (to.value === "" || value <= Number(to.value));
  if (!within(100 * said.f1, fields.f1From, fields.f1To)) return false;
  if (!within(lengthOf(n, said), fields.from, fields.to)) return false;
  if (fields.other.value === "") return true;
  const other = answer(n, Number(fields.other.value));
  if (other === undefined) return false;
  switch (fields.change.value) {
    case "changed": return said.text !== other.text;
    case "same": return said.text === other.text;
    case "better": return said.f1 > other.f1;
    case "worse": return said.f1 < other.f1;
    case "flipped": return said.exact !== other.exact;
    default: return true;
  }
}

function update() {
  const none = fields.other.value === "";
  fields.change.disabled = none;
  for (const option of fields.order.options) {
    option.disabled = none && ["loss", "gain"].includes(option.value);
    if (option.disabled && option.selected) fields.order.value = "";
  }
  const needles = plain(fields.search.value).split(/\s+/).filter(Boolean);
  chosen = [];
  for (let n = 0; n < data.id.length; n += 1) if (passes(n, needles)) chosen.push(n);
  sort();
  page = 0;
  list();
}

function sort() {
  const model = Number(fields.model.value);
  const key = {
    low: (n) => answer(n, model).f1,
    loss: (n) => answer(n, model).f1 - answer(n, Number(fields.other.value)).f1,
    gain: (n) => answer(n, Number(fields.other.value)).f1 - answer(n, model).f1,
    short: (n) => lengthOf(n, answer(n, model)),
    long: (n) => -lengthOf(n, answer(n, model)),
  }[fields.order.value];
  if (!key) return;
  const keys = new Map(chosen.map((n) => [n, key(n)]));
  chosen.sort((a, b) => keys.get(a) - keys.get(b) || a - b);
}

function list() {
  const model = Number(fields.model.value);
  const asked = data.gave.reduce((sum, gave) => sum + (gave[model] !== null), 0);
  let text = `${count(chosen.length)} of ${count(asked)} questions`;
  if (chosen.length) {
    const mean = (name) => chosen.reduce((sum, n) => sum + answer(n, model)[name], 0) / chosen.length;
    text += `: exact match ${percent(mean("exact"))}, F1 ${percent(mean("f1"))}`;
  }
  root.querySelector(".status").textContent = text;
  const shown = chosen.slice(page * PER_PAGE, (page + 1) * PER_PAGE);
  root.querySelector(".found").replaceChildren(...shown.map(item));
  const last = Math.max(1, Math.ceil(chosen.length / PER_PAGE));
  const [back, place, on] = root.querySelector(".pages").children;
  back.disabled = page === 0;
  on.disabled = page >= last - 1;
  place.textContent = `page ${count(page + 1)} of ${count(last)}`;
}

function verdict(said) {
  const [sign, name] = said.exact ? ["✓ right", "right"] : ["✗ wrong", "wrong"];
  const text = said.exact || said.f1 === 0 ? sign : `${sign}, F1 ${percent(said.f1)}`;
  return make("span", { className: name, textContent: text });
}

const quoted = (text) => (text === null ? "(no prediction)" : text || "(nothing)");

function item(n) {
  const shown = [Number(fields.model.value)];
  if (fields.other.value !== "" && fields.other.value !== fields.model.value) shown.push(Number(fields.other.value));
  const heading = make(
    "button",
    { type: "button", className: "question" },
    make("span", { textContent: data.text[n] }),
  );
  const facts = make("dl", { className: "answer" });
  const line = (name, ...said) => facts.append(make("dt", { textContent: name }), make("dd", {}, ...said));
  for (const model of shown) {
    const said = answer(n, model);
    line(data.models[model].name, `${quoted(said.text)} `, verdict(said));
  }
  line("expected", data.gold[n].join(" / ") || "(no answer)");
  const detail = make("div", { className: "detail", hidden: true });
  heading.setAttribute("aria-expanded", "false");
  heading.addEventListener("click", () => {
    detail.hidden = !detail.hidden;
    heading.setAttribute("aria-expanded", String(!detail.hidden));
    if (!detail.childElementCount) fill(detail, n, shown);
  });
  const article = data.titles[data.title[n]];
  return make(
    "li",
    {},
    heading,
    make("p", { className: "muted where", textContent: [article, data.id[n]].filter(Boolean).join(" · ") }),
    facts,
    detail,
  );
}

function fill(detail, n, shown) {
  detail.append(make("p", { textContent: "Loading …" }));
  load(`block-${Math.floor(n / data.block)}`).then(
    (block) => {
      const found = block.questions[n % data.block];
      detail.replaceChildren(
        passage(n, block.passages[found.passage], found.gold, shown),
        make("p", { className: "legend" }, make("mark", { className: "gold", textContent: "gold answer" }), " ", make("mark", { className: "said", textContent: "answer given" }), " wherever its text occurs, since predictions hold no places."),
        ...data.models.flatMap((model, m) => (found.nbest[m] === null ? [] : [nbest(n, m, model, found, m === shown[0])])),
      );
    },
    (error) => detail.replaceChildren(make("p", { textContent: error.message })),
  );
}

// The passage with gold answers and everybody's answers marked; marks may overlap.
function passage(n, text, gold, shown) {
  const spans = gold.map(([start, end]) => ({ start, end, kind: "gold" }));
  data.answers[n].forEach((said, which) => {
    const names = data.models.filter((_, m) => data.gave[n][m] === which).map((model) => model.name);
    const mine = shown.some((m) => data.gave[n][m] === which);
    for (let at = said ? text.indexOf(said) : -1, marks = 0; at >= 0 && marks < MOST_MARKS; marks += 1) {
      spans.push({ start: at, end: at + said.length, kind: mine ? "said" : "other", names });
      at = text.indexOf(said, at + said.length);
    }
  });
  const cuts = [...new Set([0, text.length, ...spans.flatMap(({ start, end }) => [start, end])])].sort((a, b) => a - b);
  const made = make("p", { className: "passage" });
  for (let k = 0; k + 1 < cuts.length; k += 1) {
    const part = text.slice(cuts[k], cuts[k + 1]);
    const over = spans.filter(({ start, end }) => start <= cuts[k] && end >= cuts[k + 1]);
    if (!over.length) made.append(part);
    else {
      const title = [...new Set(over.flatMap(({ names }) => names ?? ["gold answer"]))].join("; ");
      made.append(make("mark", { className: [...new Set(over.map(({ kind }) => kind))].join(" "), title, textContent: part }));
    }
  }
  return made;
}

function nbest(n, m, model, found, open) {
  const said = answer(n, m);
  const summary = make("summary", {}, make("span", { textContent: `${model.name}: ` }), make("b", { textContent: quoted(said.text) }), " ", verdict(said));
  const best = found.nbest[m].map(([which, probability]) =>
    make("li", {}, make("span", { textContent: quoted(found.texts[which]) }), make("span", { className: "probability", textContent: percent(probability) })),
  );
  const made = make("details", { className: "screen", open }, summary);
  made.append(best.length ? make("ol", {}, ...best) : make("p", { className: "muted", textContent: "No n-best list." }));
  return made;
}

// Loaded when it comes near the screen, so that the page opens at once.
const near = new IntersectionObserver(
  (entries) => {
    if (entries.some((entry) => entry.isIntersecting)) {
      near.disconnect();
      begin();
    }
  },
  { rootMargin: "600px" },
);
near.observe(root);
})();
