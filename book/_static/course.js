// For screen readers. The arrows of the side bar unfold a chapter, and the theme gives them no name; the list of
// references says that it is a list, but its entries do not say that they are items.
document.addEventListener("DOMContentLoaded", () => {
  for (const list of document.querySelectorAll(".citation-list")) list.removeAttribute("role");
  for (const arrow of document.querySelectorAll(".bd-sidenav summary")) {
    const chapter = arrow.closest("li").querySelector("a").textContent.trim();
    arrow.setAttribute("aria-label", `Pages of ${chapter}`);
  }
});
