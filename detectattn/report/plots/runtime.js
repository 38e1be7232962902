// Draws the plots of a report. `vegaEmbed` is in scope: vl-convert puts it, Vega-Lite and Vega before this text.
const drawn = new WeakMap();
const nothingToLoad = {
  load: () => Promise.reject(new Error("a report loads nothing")),
  sanitize: () => Promise.reject(new Error("a report loads nothing")),
};
let tip = null;

function makeTip() {
  const made = document.createElement("div");
  made.className = "plot-tip";
  made.setAttribute("role", "presentation");
  Object.assign(made.style, {
    position: "fixed", zIndex: "1000", pointerEvents: "none", maxWidth: "24rem", padding: "0.4rem 0.6rem",
    borderRadius: "4px", fontSize: "0.8125rem", lineHeight: "1.45", boxShadow: "0 2px 10px rgba(0, 0, 0, 0.3)",
    overflowWrap: "anywhere",
  });
  document.body.append(made);
  return made;
}

// Names come from files and classes: text nodes only.
function fillTip(value) {
  tip.replaceChildren();
  const entries = value !== null && typeof value === "object" ? Object.entries(value) : [["", value]];
  for (const [key, text] of entries) {
    const line = document.createElement("div");
    if (key) {
      const label = document.createElement("span");
      label.textContent = `${key}: `;
      label.style.opacity = "0.75";
      line.append(label);
    }
    line.append(String(text));
    tip.append(line);
  }
}

function tooltipWith(tones) {
  return (handler, event, item, value) => {
    if (tip === null) tip = makeTip();
    if (value === null || value === undefined || value === "") {
      tip.style.display = "none";
      return;
    }
    fillTip(value);
    Object.assign(tip.style, { display: "block", background: tones.ground, color: tones.ink });
    const left = Math.min(event.clientX + 14, window.innerWidth - tip.offsetWidth - 8);
    const below = event.clientY + 14;
    const fits = below + tip.offsetHeight < window.innerHeight;
    tip.style.left = `${Math.max(8, left)}px`;
    tip.style.top = `${fits ? below : Math.max(8, event.clientY - tip.offsetHeight - 10)}px`;
  };
}

function findWidth(element) {
  return Math.max(element.clientWidth, 240);
}

/** Draw twice: what a legend needs is known once it is drawn, and only then is there room for all of its lines. */
async function settle(view) {
  await view.runAsync();
  await view.resize().runAsync();
}

async function embed(element, spec, config) {
  drawn.get(element)?.();
  const tones = { ground: config?.style?.open?.color ?? "Canvas", ink: config?.title?.color ?? "CanvasText" };
  const sized = { ...spec, width: findWidth(element) };
  const result = await vegaEmbed(element, sized, {
    mode: "vega-lite", renderer: "svg", actions: false, ast: true, defaultStyle: false, config,
    loader: nothingToLoad, tooltip: tooltipWith(tones),
  });
  await settle(result.view);
  let width = sized.width;
  const observer = new ResizeObserver(() => {
    if (findWidth(element) === width) return;
    width = findWidth(element);
    settle(result.view.resize().width(width));
  });
  observer.observe(element);
  drawn.set(element, () => {
    observer.disconnect();
    result.finalize();
  });
  return result.view;
}

window.detectattnPlots = { embed };
