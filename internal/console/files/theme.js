// Light, dark, or as the system has it. A classic script in the head, so that the page is never seen in the wrong one.
(() => {
  const themes = ["auto", "light", "dark"];
  const names = { auto: "Auto", light: "Light", dark: "Dark" };
  let theme = "auto";
  try {
    const kept = localStorage.getItem("mles-theme");
    if (themes.includes(kept)) theme = kept;
  } catch { /* storage is off: nothing is kept */ }

  function apply() {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  }
  apply();

  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    const label = button.querySelector("span");
    const show = () => {
      label.textContent = names[theme];
      button.setAttribute("aria-label", `Colours: ${names[theme].toLowerCase()}. Change`);
    };
    button.addEventListener("click", () => {
      theme = themes[(themes.indexOf(theme) + 1) % themes.length];
      try {
        localStorage.setItem("mles-theme", theme);
      } catch { /* as above */ }
      apply();
      show();
    });
    show();
  });
})();
