// Deciding by keys, without leaving the page.
const cards = [...document.querySelectorAll("[data-review]")]
const isOpen = (card) => !card.querySelector("[aria-pressed=true]")

async function keep(form, address) {
  const fields = new URLSearchParams(new FormData(form))
  const response = await fetch(address + "&" + fields, { method: "POST", redirect: "manual" })
  if (response.type === "opaqueredirect" || response.ok) return true
  const status = document.createElement("p")
  status.className = "note error"
  status.setAttribute("role", "alert")
  status.textContent = await response.text()
  form.append(status)
  return false
}

async function decide(card, button) {
  if (!await keep(button.form, button.getAttribute("formaction"))) return
  for (const other of card.querySelectorAll("[data-answer]")) other.setAttribute("aria-pressed", String(other === button))
  const next = cards.slice(cards.indexOf(card) + 1).find(isOpen) ?? cards.find(isOpen)
  next?.focus()
  next?.scrollIntoView({ block: "nearest" })
}

for (const card of cards) {
  for (const button of card.querySelectorAll("[data-answer]")) {
    button.addEventListener("click", (event) => {
      event.preventDefault()
      decide(card, button)
    })
  }
}
cards.find(isOpen)?.focus({ preventScroll: true })
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, dialog")) return
  const answer = { y: "yes", n: "no", s: "skip" }[event.key]
  const card = event.target.closest("[data-review]") ?? cards.find(isOpen)
  const button = answer && card?.querySelector(`[data-answer=${answer}]`)
  if (button) {
    event.preventDefault()
    decide(card, button)
  }
})
