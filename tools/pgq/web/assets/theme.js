// Runs before the first paint, so that the page does not flash in the other colours.
(() => {
    let theme = null;
    try { theme = localStorage.getItem("pgq.theme"); } catch { /* storage may be forbidden */ }
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
})();
