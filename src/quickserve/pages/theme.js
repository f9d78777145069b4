/*
 * Sets the colours that the reader chose. This script is small and loaded first, so that no page is first
 * drawn in other colours. The switch itself is in script.js.
 */

try {
  const theme = localStorage.getItem("pacserve-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // If the browser allows no storage, use the colours of the system.
}
