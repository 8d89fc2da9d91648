// Pictures dropped on any page, parts that come later, and ticked images. Forms and links do the same without it.
import { all, base, one, toast } from "./page.js"

async function send(files) {
  const form = new FormData()
  for (const file of files) form.append("picture", file)
  const words = toast(`Looking at ${files.length === 1 ? files[0].name : `${files.length} pictures`} …`)
  try {
    const response = await fetch(`${base}/drop`, { method: "POST", body: form })
    if (response.redirected) location.href = response.url
    else words.textContent = new DOMParser().parseFromString(await response.text(), "text/html").querySelector(".note")?.textContent
      ?? `The pictures were not taken (${response.status}).`
  } catch {
    words.textContent = "The pictures could not be sent: too large, or the server has ended."
  }
}

const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files")
let depth = 0
addEventListener("dragenter", (event) => {
  if (!hasFiles(event)) return
  depth++
  document.body.classList.add("dropping")
})
addEventListener("dragleave", (event) => {
  if (hasFiles(event) && --depth <= 0) document.body.classList.remove("dropping")
})
addEventListener("dragover", (event) => { if (hasFiles(event)) event.preventDefault() })
addEventListener("drop", (event) => {
  if (!hasFiles(event)) return
  event.preventDefault()
  depth = 0
  document.body.classList.remove("dropping")
  const files = [...event.dataTransfer.files]
  if (files.length) send(files)
})

// A question that takes a while is asked when its place is seen.
const watcher = new IntersectionObserver(async (entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue
    watcher.unobserve(target)
    const response = await fetch(target.dataset.later)
    const page = new DOMParser().parseFromString(await response.text(), "text/html")
    const own = target.id ? one(`#${target.id} > :not(h2)`, page) : null
    const answer = own ?? one("main .card table", page) ?? one("main .note", page) ?? one("main .card p", page)
    if (answer) one("p", target)?.replaceWith(answer)
  }
})
for (const place of all("[data-later]")) watcher.observe(place)

// How many images are ticked.
const ticks = one("form[data-ticks]")
if (ticks) {
  const count = one("[data-ticked]", ticks)
  const tell = () => {
    const ticked = all("input[name=image]:checked", ticks).length
    if (count) count.textContent = ticked ? `${ticked} ticked` : "Tick images to compare them"
  }
  ticks.addEventListener("change", tell)
  tell()
}
