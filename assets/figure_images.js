// Saves a figure as PNG or SVG in the browser: Plotly's own exporter, with the page's background behind the figure, and
// with fonts that every machine has, since the picture is drawn where the page's own font is not loaded. Those are wider
// than the page's, so rows keep a wider margin for their labels; a last line says what is shown and from where.

const CAMERA = ".modebar-btn"; // the first button of our modebar (dashboard/figures/template.py) is Plotly's exporter
const FONT = "Arial, Helvetica, Liberation Sans, sans-serif";
const [FOOTER, EDGE, WIDER] = [11, 8, 1.15]; // px, px, and how much wider labels may get in FONT

function graphOf(key) {
  const name = "st-key-" + key.trim().replace(/[^a-zA-Z0-9_-]/g, "-");
  return document.querySelector(`.${CSS.escape(name)} .js-plotly-plot`);
}

function background(element) {
  for (let at = element; at; at = at.parentElement) {
    const color = getComputedStyle(at).backgroundColor;
    if (color && color !== "transparent" && !/, 0\)$/.test(color)) return color;
  }
  return "#ffffff";
}

// `text` in lines that fit `width`, in Plotly's own markup.
function lines(text, width) {
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = `${FOOTER}px ${FONT}`;
  const found = [""];
  for (const word of text.split(/\s+/)) {
    const longer = found.at(-1) ? `${found.at(-1)} ${word}` : word;
    if (found.at(-1) && pen.measureText(longer).width > width) found.push(word);
    else found[found.length - 1] = longer;
  }
  const escaped = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };
  return found.map((line) => line.replace(/[&<>]/g, (sign) => escaped[sign]));
}

// What the picture's layout has beyond the page's, and the picture's height.
function framed(graph, footer) {
  const { width, height, _size: inner } = graph._fullLayout;
  const told = lines(footer, width - 2 * EDGE);
  const below = told.length * FOOTER * 1.3 + 2 * EDGE;
  const { layout } = graph;
  const margin = { ...layout.margin, l: Math.ceil(inner.l * WIDER) + EDGE, r: inner.r + EDGE, b: inner.b + below };
  const title = {
    text: told.join("<br>"),
    font: { size: FOOTER, weight: 400 },
    automargin: false,
    ...{ x: EDGE / width, xref: "container", xanchor: "left" },
    ...{ y: (below - EDGE) / (height + below), yref: "container", yanchor: "top" }, // from its first line down
  };
  const font = { ...layout.font, family: FONT };
  return { size: [width, height + below], look: { paper_bgcolor: background(graph), font, margin, title } };
}

function save(graph, name, format, footer) {
  const camera = graph?.querySelector(CAMERA);
  if (!camera || !graph._context || !graph._fullLayout) return false;
  const { _context: context, layout } = graph;
  const { size: [width, height], look } = framed(graph, footer);
  const before = context.toImageButtonOptions;
  const own = Object.fromEntries(Object.keys(look).map((part) => [part, layout[part]]));
  const ownHeight = layout.height;
  context.toImageButtonOptions = { format, filename: name, width, height, scale: format === "png" ? 2 : 1 };
  Object.assign(layout, look, { height });
  try {
    camera.click(); // copies the figure before it returns
  } finally {
    context.toImageButtonOptions = before;
    Object.assign(layout, own, { height: ownHeight });
  }
  return true;
}

export default function ({ data, parentElement }) {
  for (const button of parentElement.querySelectorAll("button")) {
    const format = button.dataset.format;
    button.title = `Save this figure as ${format.toUpperCase()}`;
    button.onclick = () => {
      const saved = save(graphOf(data.key), data.name, format, data.footer);
      if (!saved) button.title = "The figure is not drawn yet";
    };
  }
}
