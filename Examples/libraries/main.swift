// Indexes a folder of images, asks for those that excite a neuron most, and where the first of them does so.
// swift run libraries NETWORK.onnx FOLDER STORE.sqlite LAYER:CHANNEL
import ActivationStore
import Explanations
import Images
import Indexing
import NeuralNetwork
import Search

let arguments = CommandLine.arguments
let (model, folder, path, neuron) = (arguments[1], arguments[2], arguments[3], arguments[4])
let network = try Network(contentsOf: model)
let recipe = Preprocessing(.torchvision, input: Size(width: network.input.width, height: network.input.height))
let description = try StoreDescription(network, preprocessing: recipe, classes: [], topCount: 100)
let writer = try StoreWriter.open(path: path, description: description, run: RunRecord(toolVersion: "libraries"))
print(try Indexer(network: network, preprocessing: recipe, jobs: 2).run(Dataset(paths: [folder]), into: writer).indexed, "images")

let store = try Store.open(path: path)
let hits = try TopQuery(neurons: [neuron], count: 3).run(in: store)
for hit in hits { print(hit.value, hit.image) }

let archive = try ExplanationArchive(store: store, keeps: false, toolVersion: "libraries")
let method = try Saliency.parse(["--method", "integrated"])
let target = try Target(neuron, in: store.description)
let explanation = try archive.explanation(of: archive.subject(hits[0].image), target: target, by: method)
if let peak = explanation.map.peak { print("strongest at row \(peak.y), column \(peak.x) of the input") }
