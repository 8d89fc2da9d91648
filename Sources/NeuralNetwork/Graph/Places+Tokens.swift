extension Places {
    /// Whether this is a map as it stands, channels first or last.
    var areOfOneMap: Bool {
        guard axes.count == 4, axes[0].isEmpty else { return false }
        func holds(_ axis: Int, _ origin: Origin) -> Bool {
            axes[axis].allSatisfy { $0.origin == origin } && axes[axis].count <= 1
        }
        return holds(1, .channels) && holds(2, .rows) && holds(3, .columns)
            || holds(1, .rows) && holds(2, .columns) && holds(3, .channels)
    }

    /// Whether this is a map [1, height, width, channels] of rows, columns and channels each in order.
    var haveChannelsLast: Bool {
        areOfOneMap && axes[1].allSatisfy { $0.origin == .rows } && !axes[3].isEmpty
            && axes[3].allSatisfy { $0.origin == .channels }
            && !(axes[1].isEmpty && axes[2].isEmpty)
    }

    /// Whether this is tokens divided by the heads of attention, [1, heads, tokens, channels of a head] or the last two the other way round: no map.
    var areTokensOfHeads: Bool {
        guard axes.count == 4, axes[0].isEmpty else { return false }
        func areTokens(_ parts: [Part]) -> Bool {
            parts.contains { $0.origin == .tokens }
                || [Origin.rows, .columns].allSatisfy { origin in parts.contains { $0.origin == origin } }
        }
        func areChannels(_ parts: [Part]) -> Bool { !parts.isEmpty && parts.allSatisfy { $0.origin == .channels } }
        return areTokens(axes[2]) && areChannels(axes[3]) || areTokens(axes[3]) && areChannels(axes[2])
    }

    /// Tokens of which `prefix` stand before those of the places of axis `axis`, which are of the picture; nil where those are no whole grid.
    func behind(_ prefix: Int, axis: Int) -> Places? {
        guard axes.indices.contains(axis), prefix > 0 else { return nil }
        var result = self
        if let part = axes[axis].first, part.origin == .tokens {
            result.tokenPrefix += prefix
        } else {
            guard !axes[axis].isEmpty, axes[axis].allSatisfy({ $0.origin != .channels }), tokens.isEmpty else { return nil }
            (result.tokenPrefix, result.tokens) = (prefix, axes[axis])
        }
        let count = result.tokens.reduce(1) { $0 * $1.extent }
        result.axes[axis] = [Part(origin: .tokens, step: 1, extent: result.tokenPrefix + count)]
        return result
    }

    /// A part of one axis: `count` elements from `start` on; all of it where its extent stays.
    func cut(axis: Int, start: Int, step: Int = 1, to count: Int) -> Places? {
        guard axes.indices.contains(axis) else { return nil }
        var result = self
        if axes[axis].allSatisfy({ $0.origin == .channels }) {
            result.axes[axis] = count == 1 ? [] : [Part(origin: .channels, step: 1, extent: count)]
            return result
        }
        let extent = axes[axis].reduce(1) { $0 * $1.extent }
        guard step == 1 else { return nil }
        if start == 0, count == extent { return self }
        guard axes[axis].first?.origin == .tokens, start == tokenPrefix, count == extent - tokenPrefix else { return nil }
        (result.axes[axis], result.tokens, result.tokenPrefix) = (tokens, [], 0)
        return result
    }

    /// Without an axis of which one element is left; nil where that axis holds places.
    func dropping(axis: Int) -> Places? {
        guard axes.indices.contains(axis), axes[axis].allSatisfy({ $0.origin == .channels }) else { return nil }
        var result = self
        result.axes.remove(at: axis)
        return result
    }

    /// Of tokens [1, N, channels], the grid that they stand on, row by row, or the columns of a text's line, which may also stand as
    /// [N, 1, channels]; nil where they stand on none.
    func tokenGrid(_ shape: [Int]) -> TokenGrid? {
        guard shape.count == 3, axes.count == 3, axes[2].allSatisfy({ $0.origin == .channels }) else { return nil }
        let axis = axes[0].isEmpty ? 1 : 0
        guard axes[1 - axis].isEmpty, let grid = tokenGrid(axis: axis), axis == 1 || min(grid.height, grid.width) == 1 else {
            return nil
        }
        return TokenGrid(
            prefix: grid.prefix, height: grid.height, width: grid.width, channels: shape[2], tokensAreFirst: axis == 0)
    }

    /// The grid that the tokens of one axis stand on, row by row or on one line, and how many stand before it; nil where they stand on none.
    func tokenGrid(axis: Int) -> (prefix: Int, height: Int, width: Int)? {
        let isPrefixed = axes[axis].first?.origin == .tokens
        let parts = isPrefixed ? tokens : axes[axis]
        guard parts.allSatisfy({ $0.step == 1 }) else { return nil }
        let prefix = isPrefixed ? tokenPrefix : 0
        switch parts.map(\.origin) {
        case [.rows, .columns]: return (prefix, parts[0].extent, parts[1].extent)
        case [.columns]: return (prefix, 1, parts[0].extent)
        case [.rows]: return (prefix, parts[0].extent, 1)
        default: return nil
        }
    }

    /// Of a product of matrices: rows are those of the first, columns those of the second, and axes before them are of whichever has them.
    static func ofProduct(_ left: PlacedInput, _ right: PlacedInput, to shape: [Int]) -> Places? {
        let rank = shape.count
        guard rank >= 2, left.shape.count <= rank, right.shape.count <= rank, left.shape.count >= 2, right.shape.count >= 2 else {
            return nil
        }
        func parts(_ input: PlacedInput, _ axis: Int) -> [Part]? {
            let own = axis - (rank - input.shape.count)
            guard own >= 0, input.shape[own] != 1 else { return [] }
            if let places = input.places { return places.axes.indices.contains(own) ? places.axes[own] : nil }
            return input.isConstant ? [Part(origin: .channels, step: 1, extent: input.shape[own])] : nil
        }
        var axes: [[Part]] = []
        for axis in 0..<rank - 2 {
            guard let first = parts(left, axis), let second = parts(right, axis) else { return nil }
            axes.append(first.isEmpty ? second : first)
        }
        guard let rows = parts(left, rank - 2), let columns = parts(right, rank - 1) else { return nil }
        var result = Places(axes: axes + [rows, columns])
        if let source = [left.places, right.places].compactMap({ $0 }).first(where: { !$0.tokens.isEmpty }) {
            (result.tokens, result.tokenPrefix) = (source.tokens, source.tokenPrefix)
        }
        return result
    }
}
