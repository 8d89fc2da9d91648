import NeuralNetwork

extension DetectionHead {
    /// Which tensors of a file the boxes are in.
    struct Outputs: Hashable, Sendable {
        var first: String?
        var joined: Network.JoinedOutput?
        /// Of what stands in their names or beside them.
        var form: DetectionSettings.Form?
        /// Operators of the file that they are read before, such as NonMaxSuppression.
        var before: [String] = []

        init(first: String?) { self.first = first }

        /// Two outputs of as many places, one of which has four numbers of each; else `output`. Where the file chooses among its boxes by operators
        /// that are not read, what it chooses from.
        /// - Parameters:
        ///   - output: that was asked for; nil for the first of the file.
        ///   - selection: what is computed before boxes are chosen; nil where everything is.
        init(_ files: [FileOutput], output: String?, settings: DetectionSettings, selection: BeforeSelection?) {
            first = output
            guard settings.form?.isPair ?? true || selection != nil else { return }
            if let own = Self.pair(files), [own.boxes, own.scores, files.first?.name].contains(output ?? own.boxes) {
                take(own)
                return
            }
            guard let selection, !selection.isLeft(by: output ?? files.first?.name ?? "", files) else { return }
            before = selection.operators
            let named = [selection.boxes, selection.scores].compactMap { $0 }
            let inner = selection.tensors.filter { named.count < 2 || named.contains($0.name) }
            if settings.form?.isPair ?? true, let own = Self.pair(inner, boxesFirst: selection.boxes, byName: false) {
                take(own)
                form = selection.areCentred ? .centred : selection.rowsAreFirst ? .rowsFirst : nil
            } else if output == nil {
                first = selection.likeliest
            }
        }

        /// Of the file at `path`, by the tensors that the settings name, else by what its outputs look like.
        /// - Throws: `ExplanationError.noBoxes` for tensors that are no boxes and scores; `NetworkError.noSuchName`.
        init(
            _ settings: DetectionSettings, of path: String, _ files: [FileOutput], _ selection: BeforeSelection?,
            _ options: Network.Options
        ) throws {
            guard settings.boxes != nil || settings.scores != nil else {
                self.init(files, output: options.output, settings: settings, selection: selection)
                return
            }
            let named = try [settings.boxes, settings.scores].compactMap { $0 }.map {
                try FileOutput(named: $0, of: path, options: options)
            }
            self.init(first: settings.boxes)
            guard named.count == 2, let own = Self.pair(named, boxesFirst: settings.boxes, byName: false) else {
                throw ExplanationError.noBoxes(
                    problem:
                        "needs both --boxes and --scores, [places, 4] and [places, classes] without the batch's axis, and \(FileOutput.list(named)) \(named.count == 1 ? "was" : "were") named",
                    outputs: files)
            }
            take(own)
        }

        private struct Pair {
            var boxes: String
            var scores: String
            /// Of the numbers of a place, the batch's being 0.
            var axis: Int
            var isTurned: Bool
        }

        private mutating func take(_ pair: Pair) {
            (first, joined) = (pair.boxes, Network.JoinedOutput(name: pair.scores, axis: pair.axis, isTurned: pair.isTurned))
        }

        /// The outputs of boxes and scores.
        /// - Parameters:
        ///   - boxesFirst: which has the boxes, where that is known.
        ///   - byName: whether their names say what they are, as those of a file's outputs do.
        private static func pair(_ files: [FileOutput], boxesFirst: String? = nil, byName: Bool = true) -> Pair? {
            let flat = files.filter { $0.shape?.count == 2 }
            for axis in [1, 0] {
                func numbers(_ output: FileOutput) -> Int { output.shape?[axis] ?? 0 }
                func places(_ output: FileOutput) -> Int { output.shape?[1 - axis] ?? 0 }
                let boxes = flat.filter { numbers($0) == 4 && places($0) > 4 && (boxesFirst ?? $0.name) == $0.name }
                let named = byName ? boxes.first { isNamed($0, boxWords) } ?? (boxes.count == 1 ? boxes.first : nil) : boxes.first
                guard let four = named else { continue }
                let others = flat.filter {
                    $0.name != four.name && [places($0), numbers($0)].contains(places(four))
                        && !(byName && isNamed($0, pointWords + boxWords))
                }
                let likely = others.first { byName ? isNamed($0, scoreWords) : numbers($0) != 4 }
                guard let scores = likely ?? others.first else { continue }
                return Pair(
                    boxes: four.name, scores: scores.name, axis: axis + 1, isTurned: places(scores) != places(four))
            }
            return nil
        }

        private static let boxWords = ["box", "loc", "coord", "reg"]
        private static let pointWords = ["land", "point", "kps", "mask"]
        private static let scoreWords = ["score", "conf", "cls", "class", "prob", "logit"]

        private static func isNamed(_ output: FileOutput, _ words: [String]) -> Bool {
            words.contains(where: output.name.lowercased().contains)
        }
    }
}

extension BeforeSelection {
    /// Whether an output of the file is computed without what is not read.
    fileprivate func isLeft(by output: String, _ files: [FileOutput]) -> Bool {
        files.contains { $0.name == output && $0.shape != nil } && !tensors.contains { $0.name == output }
    }
}
