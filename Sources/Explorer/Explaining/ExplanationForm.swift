import ActivationStore
import Explanations
import Pages

extension Explorer {
    /// Method × target × layer, for images.
    func explainForm(_ wishes: ExplanationWishes) -> HTML {
        let method = wishes.methods.count == 1 ? ExplanationWishes.words(wishes.methods[0]) : nil
        return HTML(
            .form, .class("ask"), Attribute("action", Address("explanations")),
            Attribute("data-explain", Address("explaining"))
        ) {
            for image in wishes.images { HTML(.input, .type("hidden"), .name("image"), .value(image)) }
            if wishes.methods.count > 1 {
                for method in wishes.methods {
                    HTML(.input, .type("hidden"), .name("method"), .value(ExplanationWishes.words(method)))
                }
            }
            explainFields(method: method, targets: wishes.targets, isChecked: wishes.isChecked, adds: wishes.methods.count > 1)
            Self.choice(
                "Scale", "scale", wishes.sharesScale ? "shared" : "own",
                [("shared", "one for a method"), ("own", "each its own")])
            HTML(.button, .class("primary")) { "Explain" }
        }
    }

    /// The same for one image, of which nothing is asked yet.
    func explainForm(image: String) -> HTML {
        HTML(
            .form, .class("ask"), Attribute("action", Address("explanations")),
            Attribute("data-explain", Address("explaining"))
        ) {
            HTML(.input, .type("hidden"), .name("image"), .value(image))
            explainFields(method: nil, targets: [], isChecked: false, adds: false)
            HTML(.button, .class("primary")) { "Explain" }
        }
    }

    @HTMLBuilder func explainFields(method: String?, targets: [String], isChecked: Bool, adds: Bool) -> HTML {
        let layers = store.description.layers.filter { $0.height * $0.width > 1 }
        Self.choice("Method", "method", method ?? "", (adds ? [("", "these")] : []) + methodChoices(besides: method))
        for target in targets.dropFirst() { HTML(.input, .type("hidden"), .name("target"), .value(target)) }
        HTML(.label, .class("long")) {
            "Target"
            HTML(
                .input, .type("text"), .name("target"), .value(targets.first ?? ""), Attribute("list", "targets"),
                Attribute("placeholder", "the class it answers; class:NAME, LAYER:CHANNEL"), Attribute("autocomplete", "off"),
                Attribute("spellcheck", "false"))
            HTML(.datalist, .id("targets")) {
                for name in store.description.classes.prefix(200) { HTML(.option, .value("class:\(name)")) }
            }
        }
        HTML(.label) {
            "Layer of cam"
            HTML(.select, .name("layer")) {
                HTML(.option, .value("")) { "the last map" }
                for layer in layers { HTML(.option, .value(layer.name)) { layer.name } }
            }
        }
        HTML(.label, .class("tick")) {
            "Check the map"
            HTML(.input, .type("checkbox"), .name("check"), .value(""), isChecked ? Attribute("checked") : nil)
        }
    }

    /// Methods with their kinds, in sizes that fit the network's input.
    private func methodChoices(besides method: String?) -> [(String, String)] {
        let model = store.description.model
        let side = min(model.inputHeight, model.inputWidth)
        let window = side >= 224 ? "" : " --window \(max(1, side / 7)) --stride \(max(1, side / 28))"
        var choices: [(String, String)] = Saliency.Kind.allCases.map { kind in
            kind == .gradient
                ? (Saliency.name, "saliency: gradient")
                : ("\(Saliency.name) --method \(kind.rawValue)", "saliency: \(kind.rawValue)")
        }
        choices += [
            (Occlusion.name + window, "occlusion" + window.replacing(" --", with: ", ")),
            (ClassActivationMap.name, "class activation map"),
            ("\(ClassActivationMap.name) --method grad-cam", "Grad-CAM"), (Deconvolution.name, "deconvolution"),
        ]
        // Only transformers have such a layer; others of them are asked by address.
        if store.description.layers.contains(where: { $0.name.hasSuffix(".class_token") }) {
            choices += Attention.Kind.allCases.map { kind in
                kind == .attention
                    ? (Attention.name, "attention")
                    : ("\(Attention.name) --method \(kind.rawValue)", "attention: \(kind.rawValue)")
            }
        }
        if let method, !choices.contains(where: { $0.0 == method }) { choices.append((method, method)) }
        return choices
    }
}
