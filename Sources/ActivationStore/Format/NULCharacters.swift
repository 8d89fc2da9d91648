/// Names with a NUL character are refused before anything is written: SQLite ends text at it.
extension StoreError {
    static func refuseNUL(_ name: String?, _ owner: @autoclosure () -> String) throws(StoreError) {
        if let name, name.utf8.contains(0) { throw .nulInName(owner: owner(), name: name) }
    }
}

extension StoreDescription {
    func refuseNUL() throws(StoreError) {
        for (channel, name) in classes.enumerated() { try StoreError.refuseNUL(name, "the name of class \(channel)") }
        for layer in layers {
            try StoreError.refuseNUL(layer.name, "the name of a layer")
            try StoreError.refuseNUL(layer.tensor, "the value that layer \(layer.name) records")
            try StoreError.refuseNUL(layer.operatorName, "the operator of layer \(layer.name)")
        }
        for (name, what) in [(model.output, "output"), (model.name, "name"), (model.path, "path")] {
            try StoreError.refuseNUL(name, "the model's \(what)")
        }
    }
}

extension Relabelling {
    func refuseNUL() throws(StoreError) {
        for (channel, name) in (classes ?? []).enumerated() { try StoreError.refuseNUL(name, "the name of class \(channel)") }
        for (id, edit) in edits {
            try StoreError.refuseNUL(edit.label.value(orElse: nil), "the label of image \(id)")
            try StoreError.refuseNUL(edit.split.value(orElse: nil), "the split of image \(id)")
        }
    }
}
