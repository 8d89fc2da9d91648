public import ActivationStore

extension Attribute {
    /// A binary attribute for each folder that images stand in, below the innermost one that has them all.
    public static func folders(of images: [(id: Int, path: String)]) -> [Attribute] {
        let root = FolderLabels.commonFolder(of: images.map(\.path))
        let shared = root == "." ? 0 : root.split(separator: "/").count
        let lanes = (images.map(\.id).max() ?? -1) + 1
        var known = [Double](repeating: .nan, count: lanes)
        for image in images { known[image.id] = 0 }
        var (names, values): ([String: Int], [[Double]]) = ([:], [])
        for image in images {
            for part in image.path.split(separator: "/").dropLast().dropFirst(shared) {
                let index = names[String(part)] ?? values.count
                if index == values.count {
                    names[String(part)] = index
                    values.append(known)
                }
                values[index][image.id] = 1
            }
        }
        return names.sorted { $0.key < $1.key }.map { Attribute(name: $0.key, kind: .binary, values: values[$0.value]) }
    }
}
