import NeuralNetwork
import TestSupport
import Testing

@Suite struct LayerNamesTests {
    struct Row: Sendable {
        var weight = "onnx::Conv_1"
        var node = ""
        var scopes: String?
        var name: String
    }

    private static let rows: [Row] = [
        Row(weight: "layer1.0.conv1.weight", node: "/layer1/layer1.0/conv1/Conv", name: "layer1.0.conv1"),
        Row(weight: "squeezenet0_conv0_weight", node: "squeezenet0_conv0_fwd", name: "squeezenet0_conv0"),
        Row(weight: "block1/conv1/kernel", name: "block1/conv1"),
        Row(weight: "conv1_w_0", name: "conv1"),
        Row(weight: "conv1_W", name: "conv1"),
        Row(weight: ".weight", node: "first", name: "first"),
        Row(node: "/layer1/layer1.0/conv1/Conv", name: "layer1.0.conv1"),
        Row(node: "/features/features.0/Conv", name: "features.0"),
        Row(node: "/conv1/Conv", name: "conv1"),
        Row(node: "/features/features.7/features.7.0/block/block.3/block.3.0/Conv", name: "features.7.0.block.3.0"),
        Row(node: "/layers/layers.13/layers.13.0/layers/layers.6/Conv", name: "layers.13.0.layers.6"),
        Row(node: "/trunk_output/block4/block4-5/f/c/c.0/Conv", name: "trunk_output.block4.block4-5.f.c.0"),
        Row(node: "/Conv", name: "Conv"),
        Row(node: "node_conv2d_1", scopes: "['', 'layer1', 'layer1.0', 'layer1.0.conv1', 'conv2d_1']", name: "layer1.0.conv1"),
        Row(node: "node_conv2d", scopes: "['', 'conv2d']", name: "Conv"),
        Row(node: "squeezenet0_conv0_fwd", name: "squeezenet0_conv0"),
        Row(node: "block_conv", name: "block_conv"),
        Row(node: "n56", name: "answer"),
        Row(node: "node_12", name: "answer"),
        Row(node: "", name: "answer"),
    ]

    @Test(arguments: rows)
    func aLayerHasTheNameItsAuthorKnows(_ row: Row) throws {
        var model = ModelBuilder(input: [1, 1, 2, 2])
        _ = model.weight(row.weight, [1, 1, 1, 1], [1])
        let output = model.node("Conv", ["image", row.weight], name: row.node, outputs: ["answer"], scopes: row.scopes)
        #expect(try model.network(output: output).layers.map(\.name) == [row.name])
    }

    @Test func namesAreUnique() throws {
        var model = ModelBuilder(input: [1, 1, 2, 2])
        let weight = model.weight("shared.weight", [1, 1, 1, 1], [1])
        let once = model.node("Conv", ["image", weight])
        let twice = model.node("Conv", [model.node("Conv", [once, weight]), weight])
        #expect(try model.network(output: twice).layers.map(\.name) == ["shared", "shared.2", "shared.3"])
    }
}
