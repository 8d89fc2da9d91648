// What the scripts of pages share.
export const one = (selector, start = document) => start.querySelector(selector)
export const all = (selector, start = document) => [...start.querySelectorAll(selector)]
// Of several stores, the one that the address names.
export const base = /^\/@[^/]+/.exec(location.pathname)?.[0] ?? ""

// A few words at the edge of the page, in place of those that were there.
export function toast(text) {
  one(".toast")?.remove()
  const toast = document.createElement("div")
  toast.className = "toast"
  toast.setAttribute("role", "status")
  toast.textContent = text
  document.body.append(toast)
  return toast
}
