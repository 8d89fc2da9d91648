/// What the axes of a value are made of: which parts of the picture's rows and columns, and of channels, each holds.
///
/// Files move parts of a map to the batch axis: the phases of a dilated convolution (TensorFlow's SpaceToBatch), or windows (Swin). A value of
/// shape [4, 8, 8, 8] may be four windows of one map of 16×16, and then the place of an element is told by axis 0 as well as by axes 2 and 3.
struct Places: Equatable, Sendable {
    /// `tokens`: places of a grid, row by row, behind tokens of no place; see `tokens`.
    enum Origin: Sendable { case rows, columns, channels, tokens }

    /// A digit of an index: steps of `step` rows (or columns) of the map, `extent` of them. Of channels the step says nothing.
    struct Part: Equatable, Sendable {
        var origin: Origin
        var step: Int
        var extent: Int
    }

    /// Outer parts first; those of extent 1 are left out.
    var axes: [[Part]]
    /// What the places of an axis of tokens are made of, and how many stand before them.
    var tokens: [Part] = []
    var tokenPrefix = 0

    init(axes: [[Part]]) {
        self.axes = axes.map(Self.joined)
    }

    /// Of a map with its axes as they are: [1, channels, height, width], or channels last.
    init?(map shape: [Int], channelsAreLast: Bool) {
        guard shape.count == 4, shape[0] == 1 else { return nil }
        let order: [Origin] = channelsAreLast ? [.rows, .columns, .channels] : [.channels, .rows, .columns]
        self.init(axes: [[]] + zip(order, shape.dropFirst()).map { [Part(origin: $0, step: 1, extent: $1)] })
    }

    /// Without parts of extent 1, and neighbours that count on from each other made one.
    private static func joined(_ parts: [Part]) -> [Part] {
        var result: [Part] = []
        for part in parts where part.extent != 1 {
            if let outer = result.last, outer.origin == part.origin, outer.step == part.step * part.extent {
                result[result.count - 1] = Part(origin: part.origin, step: part.step, extent: outer.extent * part.extent)
            } else {
                result.append(part)
            }
        }
        return result
    }

    /// Whether the parts of each axis make up its extent.
    func fits(_ shape: [Int]) -> Bool {
        axes.count == shape.count && zip(axes, shape).allSatisfy { $0.reduce(1) { $0 * $1.extent } == $1 }
    }

    /// The product of all extents of one origin.
    func extent(_ origin: Origin) -> Int {
        (axes.joined() + tokens).filter { $0.origin == origin }.reduce(1) { $0 * $1.extent }
    }

    /// Whether each row and each column of a map is there once.
    var areComplete: Bool {
        tokens.isEmpty
            && [Origin.rows, .columns].allSatisfy { origin in
                var next = 1
                for part in axes.joined().filter({ $0.origin == origin }).sorted(by: { $0.step < $1.step }) {
                    guard part.step == next else { return false }
                    next *= part.extent
                }
                return true
            }
    }

    /// Whether rows or columns stand in other axes than those of height and width.
    var areScattered: Bool {
        guard axes.count == 4 else { return true }
        let (first, last) = (axes[1].contains { $0.origin != .channels }, axes[3].contains { $0.origin == .rows })
        // Channels may be last.
        if axes[3].allSatisfy({ $0.origin == .channels }), !axes[3].isEmpty {
            return !axes[0].isEmpty || axes[1].contains { $0.origin == .columns } || axes[2].contains { $0.origin == .rows }
        }
        return axes[0].contains { $0.origin != .channels } || first || last || axes[2].contains { $0.origin == .columns }
    }

    /// What a place sees through a convolution of a map whose blocks of pixels stand in its channels, as SpaceToDepth leaves them; nil where they
    /// stand otherwise.
    func receptiveField(_ field: ReceptiveField, through window: Window) -> ReceptiveField? {
        guard axes.count == 4, axes[0].isEmpty else { return nil }
        func through(_ axis: Int, _ origin: Origin, _ field: ReceptiveField.Axis) -> ReceptiveField.Axis? {
            let block = axes[1].filter { $0.origin == origin }.reduce(1) { $0 * $1.extent }
            guard axes[axis].count <= 1, axes[axis].first.map({ $0.origin == origin && $0.step == block }) ?? true else {
                return nil
            }
            let index = axis - 2
            return field.through(
                kernel: window.reach(index) * block, step: window.stride[index] * block, padding: window.padBefore[index] * block)
        }
        guard let y = through(2, .rows, field.y), let x = through(3, .columns, field.x) else { return nil }
        return ReceptiveField(y: y, x: x)
    }

    /// Nil where the new axes cut through parts in a way that is no division of them.
    func reshaped(to shape: [Int]) -> Places? {
        var rest = Array(axes.joined())
        var result: [[Part]] = []
        for extent in shape {
            var (axis, missing) = ([Part](), extent)
            while missing > 1 {
                guard !rest.isEmpty else { return nil }
                let part = rest.removeFirst()
                if missing.isMultiple(of: part.extent) {
                    axis.append(part)
                    missing /= part.extent
                } else if part.extent.isMultiple(of: missing), part.origin != .tokens {
                    let inner = part.extent / missing
                    axis.append(Part(origin: part.origin, step: part.step * inner, extent: missing))
                    rest.insert(Part(origin: part.origin, step: part.step, extent: inner), at: 0)
                    missing = 1
                } else {
                    return nil
                }
            }
            result.append(axis)
        }
        return rest.isEmpty ? with(axes: result) : nil
    }

    func transposed(_ order: [Int]) -> Places { with(axes: order.map { axes[$0] }) }

    /// Other axes of the same picture and tokens.
    private func with(axes: [[Part]]) -> Places {
        var result = self
        result.axes = axes.map(Self.joined)
        return result
    }

    /// The parts of one axis as an outer one and an inner one of `extent`.
    private func split(_ axis: Int, inner extent: Int) -> (outer: [Part], inner: [Part])? {
        let whole = axes[axis].reduce(1) { $0 * $1.extent }
        guard whole.isMultiple(of: extent) else { return nil }
        return Places(axes: [axes[axis]]).reshaped(to: [whole / extent, extent]).map { ($0.axes[0], $0.axes[1]) }
    }

    /// Of DepthToSpace (`toSpace`) or SpaceToDepth, with the blocks outside the other channels or inside.
    func shuffled(block: Int, toSpace: Bool, blocksAreOuter: Bool) -> Places? {
        if toSpace {
            let square = block * block
            let channels = axes[1].reduce(1) { $0 * $1.extent }
            let shape = blocksAreOuter ? [block, block, channels / square] : [channels / square, block, block]
            guard let parts = Places(axes: [axes[1]]).reshaped(to: shape)?.axes else { return nil }
            let (y, x, rest) = blocksAreOuter ? (parts[0], parts[1], parts[2]) : (parts[1], parts[2], parts[0])
            return Places(axes: [axes[0], rest, axes[2] + y, axes[3] + x])
        }
        guard let rows = split(2, inner: block), let columns = split(3, inner: block) else { return nil }
        return Places(axes: [axes[0], rows.inner + columns.inner + axes[1], rows.outer, columns.outer])
    }

    /// Of what makes new channels, and maps of other sizes, of each map by itself. Nil where the rows or columns of a map do not follow each other.
    func remapped(to shape: [Int], keepsChannels: Bool, channelAxis: Int = 1) -> Places? {
        guard shape.count == axes.count else { return nil }
        var result = self
        for axis in axes.indices where axis != 0 {
            let old = axes[axis].reduce(1) { $0 * $1.extent }
            if axis == channelAxis {
                guard keepsChannels && old == shape[axis] else {
                    // New channels take the place of old ones, not of rows or columns.
                    guard axes[axis].allSatisfy({ $0.origin == .channels }) else { return nil }
                    result.axes[axis] = Self.joined([Part(origin: .channels, step: 1, extent: shape[axis])])
                    continue
                }
                continue
            }
            guard old != shape[axis] else { continue }
            guard axes[axis].count <= 1, let part = axes[axis].first, part.origin != .tokens else { return nil }
            result.resize(part, to: shape[axis])
            result.axes[axis] = Self.joined([Part(origin: part.origin, step: part.step, extent: shape[axis])])
        }
        return result
    }

    /// What counts in larger steps than `part` does, counts in those of its new extent.
    private mutating func resize(_ part: Part, to extent: Int) {
        for axis in axes.indices {
            axes[axis] = axes[axis].map { other in
                guard other.origin == part.origin, other.step > part.step else { return other }
                return Part(origin: other.origin, step: other.step / part.extent * extent, extent: other.extent)
            }
        }
    }

    /// How a value becomes one map [1, channels, height, width]: the shape of its parts, the order that they are put in, and the map's. Channels in
    /// axis 0 come before those of the channel axis. Nil where rows and columns are not all there once.
    var assembly: (parts: [Int], order: [Int], map: [Int])? {
        guard areComplete else { return nil }
        let parts = Array(axes.joined())
        func places(_ origin: Origin) -> [Int] {
            let own = parts.indices.filter { parts[$0].origin == origin }
            return origin == .channels ? own : own.sorted { parts[$0].step > parts[$1].step }
        }
        let order = places(.channels) + places(.rows) + places(.columns)
        return (
            parts.map(\.extent), order, [1, extent(.channels), extent(.rows), extent(.columns)]
        )
    }
}
