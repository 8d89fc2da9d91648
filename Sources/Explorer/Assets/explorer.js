// What makes pages quick; all of them are read without it.
import { all, one, toast } from "./page.js"

function say(text) {
  const words = toast(text)
  setTimeout(() => words.remove(), 2500)
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text)
    say("Copied: " + text)
  } catch {
    say(text)
  }
}

// Links and commands.
for (const button of all("[data-copy]")) {
  button.hidden = false
  button.addEventListener("click", () => copy(button.dataset.copy))
}
for (const button of all("[data-copy-link]")) {
  button.hidden = false
  button.addEventListener("click", () => copy(location.href))
}

// Crops and whole images.
for (const button of all("[data-toggle-whole]")) {
  button.addEventListener("click", (event) => {
    event.preventDefault()
    for (const list of all("[data-crops]")) list.classList.toggle("whole")
    for (const image of all("img[data-whole]")) {
      const other = image.dataset.whole
      image.dataset.whole = image.getAttribute("src")
      image.src = other
    }
    button.textContent = button.textContent === "Whole images" ? "What it saw" : "Whole images"
  })
}

// Where a neuron was strongest, while one points at it.
for (const row of all("[data-seen]")) {
  const show = (isShown) => {
    const area = document.getElementById(row.dataset.seen)
    if (area) area.toggleAttribute("hidden", !isShown)
  }
  for (const event of ["mouseenter", "focusin"]) row.addEventListener(event, () => show(true))
  for (const event of ["mouseleave", "focusout"]) row.addEventListener(event, () => show(false))
}

// More neurons as one scrolls.
const more = one("[data-more]")
const list = one("[data-pages]")
if (more && list && "IntersectionObserver" in window) {
  let next = more
  let isLoading = false
  const observer = new IntersectionObserver(async (entries) => {
    if (isLoading || !next || !entries.some((entry) => entry.isIntersecting)) return
    isLoading = true
    const response = await fetch(next.href)
    const page = new DOMParser().parseFromString(await response.text(), "text/html")
    list.append(...(one("[data-pages]", page)?.children ?? []))
    const following = one("[data-more]", page)
    if (following) {
      next.href = following.href
      next.textContent = following.textContent
    } else {
      next.remove()
      next = null
    }
    isLoading = false
  }, { rootMargin: "600px" })
  observer.observe(more)
}

// Keys.
const names = {
  "←  →": "the neuron or image before, and after",
  "↑  ↓": "the layer before, and after",
  "/": "find",
  "c": "copy the command that answers the same",
  "l": "copy the link",
  "w": "crops or whole images",
  "?": "this list",
}
function help() {
  const dialog = document.createElement("dialog")
  const title = document.createElement("h2")
  title.textContent = "Keys"
  const facts = document.createElement("dl")
  facts.className = "facts"
  for (const [key, meaning] of Object.entries(names)) {
    const term = document.createElement("dt")
    const text = document.createElement("dd")
    const cap = document.createElement("kbd")
    cap.textContent = key
    term.append(cap)
    text.textContent = meaning
    facts.append(term, text)
  }
  const close = document.createElement("button")
  close.textContent = "Close"
  close.addEventListener("click", () => dialog.close())
  dialog.append(title, facts, close)
  dialog.addEventListener("close", () => dialog.remove())
  document.body.append(dialog)
  dialog.showModal()
}
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, dialog")) return
  const link = one(`#keys a[data-key="${CSS.escape(event.key)}"]`)
  if (link) {
    event.preventDefault()
    location.href = link.href
  } else if (event.key === "?") help()
  else if (event.key === "/") {
    event.preventDefault()
    one("input[type=search]")?.focus()
  } else if (event.key === "c") one("[data-copy]")?.click()
  else if (event.key === "l") one("[data-copy-link]")?.click()
  else if (event.key === "w") one("[data-toggle-whole]")?.click()
})
