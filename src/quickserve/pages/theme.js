/*
 * The colours that the reader chose. Small and loaded first, so that no page is drawn in the others
 * before. The switch itself is in script.js.
 */

try {
  const theme = localStorage.getItem("pacserve-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Where nothing may be kept, the system's choice holds.
}
