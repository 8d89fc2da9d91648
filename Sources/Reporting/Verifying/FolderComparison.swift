import Foundation

/// The files of a report's folder beside those that are made again.
struct FolderComparison {
    private let old: [String: Data]
    private let new: [String: Data]
    private let again: ReportContent

    init(old: [String: Data], _ again: ReportContent, _ card: ModelCard) throws {
        (self.old, self.again) = (old, again)
        new = try ReportFolder(again, card: card).files
    }

    func compare(_ outcome: inout ReportCheck.Outcome) throws {
        for name in Set(old.keys).union(new.keys).sorted() where old[name] != new[name] && name != "report.html" {
            if !again.isWhole, let reason = try unchecked(name) {
                if !reason.isEmpty { outcome.notMade.append("\(name): \(reason)") }
                continue
            }
            switch (old[name], new[name]) {
            case (nil, _): outcome.differ.append("\(name) is missing from the folder")
            case (_, nil): outcome.differ.append("\(name) is no part of the report")
            case (let one?, let other?): outcome.differ.append("\(name): \(Self.firstDifference(one, other))")
            }
        }
    }

    /// Why a file cannot be compared where files are missing now; empty where all of it that can be is equal, nil where it can be compared.
    private func unchecked(_ name: String) throws -> String? {
        switch name {
        case "model-card.md": return "it cannot be made whole again"
        case "SHA256SUMS": return old[name] == ReportFolder.sums(old) ? "" : nil
        case "report.json": return try isSameInWholeSections() ? "it cannot be made whole again" : nil
        default: break
        }
        let stem = ((name as NSString).lastPathComponent as NSString).deletingPathExtension
        let block = again.sections.flatMap(\.blocks).first { $0.id == stem }
        // A picture of a file that is missing now, or a table that was made of such.
        let isGone = new[name] == nil && (name.hasPrefix("pictures/") || name.hasPrefix("tables/"))
        return isGone || block?.isIncomplete == true ? "it cannot be made again" : nil
    }

    private func isSameInWholeSections() throws -> Bool {
        func sections(_ data: Data?) throws -> [String: NSDictionary] {
            let object = try? JSONSerialization.jsonObject(with: data ?? Data()) as? [String: Any]
            let all = (object?["sections"] as? [NSDictionary]) ?? []
            return Dictionary(all.map { ($0["id"] as? String ?? "", $0) }) { first, _ in first }
        }
        let (before, now) = (try sections(old["report.json"]), try sections(new["report.json"]))
        let whole = again.sections.filter { $0.gaps.isEmpty }.map(\.id)
        return Set(before.keys) == Set(now.keys) && whole.allSatisfy { before[$0] == now[$0] }
    }

    private static func firstDifference(_ one: Data, _ other: Data) -> String {
        guard let old = String(data: one, encoding: .utf8), let new = String(data: other, encoding: .utf8) else {
            return "other bytes than made anew"
        }
        let (oldLines, newLines) = (
            old.split(separator: "\n", omittingEmptySubsequences: false),
            new.split(separator: "\n", omittingEmptySubsequences: false)
        )
        for index in 0..<max(oldLines.count, newLines.count) {
            let (a, b) = (index < oldLines.count ? oldLines[index] : "", index < newLines.count ? newLines[index] : "")
            if a != b {
                return
                    "line \(index + 1) says '\(PartComparison.short(String(a)))', made anew it is "
                    + "'\(PartComparison.short(String(b)))'"
            }
        }
        return "other bytes than made anew"
    }
}
