// Explanations: how far they are, and how they look. Pages show them without it.
import { all, base, one } from "./page.js"

// Progress, by server-sent events. Leaving the page, or Stop, closes the connection, which ends the work.
async function events(address, signal, take) {
  const response = await fetch(address, { signal, headers: { Accept: "text/event-stream" } })
  if (!response.ok) throw new Error((await response.text()).trim())
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  let text = ""
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    text += value
    const blocks = text.split("\n\n")
    text = blocks.pop()
    for (const block of blocks) {
      const name = /^event: (.*)$/m.exec(block)?.[1]
      const data = /^data: (.*)$/m.exec(block)?.[1]
      if (name) take(name, data ? JSON.parse(data) : {})
    }
  }
}

function line(text) {
  const element = document.createElement("span")
  element.textContent = text
  return element
}

function makingLine() {
  const row = document.createElement("div")
  row.className = "making"
  row.setAttribute("role", "status")
  const bar = document.createElement("progress")
  const words = line("Asking …")
  const stop = document.createElement("button")
  stop.type = "button"
  stop.textContent = "Stop"
  row.append(bar, words, stop)
  return { row, bar, words, stop }
}

async function make(address, place, after) {
  one(".making", place)?.remove()
  const { row, bar, words, stop } = makingLine()
  place.append(row)
  const control = new AbortController()
  stop.addEventListener("click", () => control.abort())
  addEventListener("pagehide", () => control.abort())
  try {
    await events(address, control.signal, (name, data) => {
      if (name === "waiting") words.textContent = data.ahead ? `${data.ahead} before it` : "It is its turn"
      else if (name === "progress") {
        bar.max = data.total
        bar.value = data.done
        const which = data.all > 1 ? `, ${data.made} of ${data.all} made` : ""
        words.textContent = `${data.part ? data.part + ": " : ""}${data.done} of ${data.total} passes${which}`
      } else if (name === "done") after(data.page)
    })
  } catch (error) {
    row.replaceChildren(line(control.signal.aborted ? "Stopped." : error.message))
    row.classList.add("note")
  }
}

for (const form of all("form[data-explain]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault()
    const fields = new URLSearchParams()
    for (const [name, value] of new FormData(form)) if (value !== "" || name === "check") fields.append(name, value)
    make(`${form.dataset.explain}?${fields}`, form.parentElement, (page) => { location.href = page })
  })
}
for (const link of all("a[data-explain-link]")) {
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    const address = new URL(link.href)
    const place = link.closest("figcaption")
    make(`${base}/explaining${address.search}`, place, (page) => { location.href = page })
  })
}

// The raw maps, coloured here: strength, threshold and colours move without asking again.
const looks = one("[data-looks]")
const tables = new Map()

async function colors(name) {
  if (!tables.has(name)) {
    const image = new Image()
    image.src = `${base}/colors/${name}.png`
    await image.decode()
    const canvas = document.createElement("canvas")
    canvas.width = 256
    canvas.height = 1
    const context = canvas.getContext("2d", { willReadFrequently: true })
    context.drawImage(image, 0, 0)
    tables.set(name, context.getImageData(0, 0, 256, 1).data)
  }
  return tables.get(name)
}

// float32, [height, width], version 1.0 of NumPy's format.
function plane(buffer) {
  const view = new DataView(buffer)
  const length = view.getUint16(8, true)
  const head = new TextDecoder("latin1").decode(new Uint8Array(buffer, 10, length))
  const [, height, width] = /'shape': \((\d+), (\d+)\)/.exec(head)
  return { height: +height, width: +width, values: new Float32Array(buffer.slice(10 + length)) }
}

async function draw(figure) {
  const { map, canvas } = figure.raw
  const isSigned = figure.dataset.signed !== ""
  const limit = +figure.dataset.limit
  const gain = +figure.dataset.gain
  const strength = +looks.elements.strength.value / 100
  const threshold = +looks.elements.threshold.value / 100
  const name = looks.elements.colormap.value || figure.dataset.colormap
  const table = await colors(name)
  const context = canvas.getContext("2d")
  const picture = context.createImageData(map.width, map.height)
  for (let pixel = 0; pixel < map.values.length; pixel++) {
    const share = Math.max(-1, Math.min(1, map.values[pixel] / limit)) || 0
    const level = isSigned ? (share + 1) / 2 : Math.max(share, 0)
    const size = isSigned ? Math.abs(share) : level
    const color = level > 0 ? Math.trunc(Math.min(level * 256, 255)) : 0
    picture.data[4 * pixel] = table[4 * color]
    picture.data[4 * pixel + 1] = table[4 * color + 1]
    picture.data[4 * pixel + 2] = table[4 * color + 2]
    picture.data[4 * pixel + 3] = size < threshold ? 0 : 255 * strength * Math.min(1, gain * size)
  }
  context.putImageData(picture, 0, 0)
  const bar = one("[data-colors]", figure)
  if (bar && !bar.src.endsWith(`/${name}.png`)) bar.src = `${base}/colors/${name}.png`
}

async function prepare(figure) {
  const response = await fetch(figure.dataset.map)
  if (!response.ok) return
  const map = plane(await response.arrayBuffer())
  const layers = one(".layers", figure)
  const canvas = document.createElement("canvas")
  canvas.width = map.width
  canvas.height = map.height
  canvas.setAttribute("aria-hidden", "true")
  const image = one("img", layers)
  image.src = figure.dataset.under
  layers.classList.add("under")
  layers.classList.toggle("signed", figure.dataset.signed !== "")
  layers.append(canvas)
  figure.raw = { map, canvas }
  await draw(figure)
}

if (looks) {
  const figures = all("figure[data-map]")
  looks.hidden = figures.length === 0
  looks.addEventListener("submit", (event) => event.preventDefault())
  await Promise.all(figures.map(prepare))
  looks.addEventListener("input", () => { for (const figure of figures) if (figure.raw) draw(figure) })
}
