// Saves a figure as PNG or SVG in the browser: Plotly's own exporter, with the page's background behind the figure, and
// with fonts that every machine has, since the picture is drawn where the page's own font is not loaded.

const CAMERA = ".modebar-btn"; // the first button of our modebar (dashboard/figures/template.py) is Plotly's exporter
const FONT = "Arial, Helvetica, Liberation Sans, sans-serif";

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

function save(graph, name, format) {
  const camera = graph?.querySelector(CAMERA);
  if (!camera || !graph._context || !graph._fullLayout) return false;
  const { _context: context, layout } = graph;
  const before = [context.toImageButtonOptions, layout.paper_bgcolor, layout.font];
  const { width, height } = graph._fullLayout;
  context.toImageButtonOptions = { format, filename: name, width, height, scale: format === "png" ? 2 : 1 };
  layout.paper_bgcolor = background(graph);
  layout.font = { ...layout.font, family: FONT };
  try {
    camera.click(); // copies the figure before it returns
  } finally {
    [context.toImageButtonOptions, layout.paper_bgcolor, layout.font] = before;
  }
  return true;
}

export default function ({ data, parentElement }) {
  for (const button of parentElement.querySelectorAll("button")) {
    const format = button.dataset.format;
    button.title = `Save this figure as ${format.toUpperCase()}`;
    button.onclick = () => {
      const saved = save(graphOf(data.key), data.name, format);
      if (!saved) button.title = "The figure is not drawn yet";
    };
  }
}
