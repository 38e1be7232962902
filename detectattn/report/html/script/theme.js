// Light or dark, as the reader chose it before; before anything is shown, so that nothing flashes.
(() => {
  "use strict";

  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const KEY = "detectattn-theme";

  // Pages opened from disk may be denied storage.
  function recall() {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null;
    }
  }

  function keep(theme) {
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      return;
    }
  }

  const chosen = recall();
  if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
  root.classList.add("scripted");

  const isDark = () => (root.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";
  const tell = () => document.dispatchEvent(new CustomEvent("themechange"));

  addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    // What it does, not what is.
    const show = () => (button.textContent = isDark() ? "Light theme" : "Dark theme");
    button.hidden = false;
    show();
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      keep(root.dataset.theme);
      show();
      tell();
    });
    system.addEventListener("change", () => {
      show();
      tell();
    });
  });

  window.detectattn = { isDark };
})();
