/// What no number of this report says.
struct LimitsSection: SectionMaker {
    let id = "limits"
    let title = "What was not tested"
    let explanation = "A report shows what was looked at. What follows was not looked at, or cannot be shown by its means."

    func make(_ ground: ReportGround, _ section: inout ReportSection) throws -> [Finding] {
        section.add(
            "list",
            .list([
                "Other pictures than those listed under Data: other cameras, places, times and people may give other figures.",
                "Robustness: pictures changed on purpose to mislead the network, noise, blur, compression, other lighting.",
                "Shortcuts that have no fixed place and no fixed look: backgrounds, faint marks, marks that change.",
                "A map of an explanation shows where an answer depends on the picture. It does not show why, and a map "
                    + "on the right thing is no proof of a right reason.",
                "The checks of maps find maps that do not depend on the network or do no better than chance; a map that "
                    + "passes may still mislead.",
                "A neuron that tells a class in these pictures need not be used for the answer.",
                "Training: data, method, compute and people are not in the network's file, and not in this report.",
                "Security, privacy and the system around the network.",
            ]))
        return []
    }
}

/// What people complete, and where they sign.
struct PeopleSection: SectionMaker {
    let id = "people"
    let title = "To be completed by people"
    let explanation = """
        The headings follow Annex IV of Regulation (EU) 2024/1689 (AI Act) and the sections of model cards, so that what belongs there has its \
        place. Nothing here says that any requirement is met: no tool can establish that.
        """

    func make(_ ground: ReportGround, _ section: inout ReportSection) throws -> [Finding] {
        section.add(
            "annex",
            .fields([
                Field("Intended purpose (Annex IV, 1)", "what the system is for, by whom, on whom; provider; version"),
                Field("Interaction with other systems and hardware (Annex IV, 1)", "what it is built into, and runs on"),
                Field("Development and training (Annex IV, 2)", "methods, data sets and their origin, labelling, design choices"),
                Field("Human oversight (Annex IV, 2e and Article 14)", "who can understand, overrule and stop it, and how"),
                Field("Cybersecurity (Annex IV, 2h)", "measures"),
                Field(
                    "Monitoring and control; limits of performance (Annex IV, 3)",
                    "foreseeable unintended outcomes, risks to persons and groups"),
                Field("Why these metrics (Annex IV, 4)", "are the figures of this report the right ones for the purpose?"),
                Field("Risk management (Annex IV, 5 and Article 9)", "risks found, measures, what remains"),
                Field("Changes through the life cycle (Annex IV, 6)", "what changed, and who decided"),
                Field("Standards applied; declaration of conformity (Annex IV, 7 and 8)", "or why none"),
                Field(
                    "Plan for monitoring after placing on the market (Annex IV, 9)",
                    "what is watched, and when it is "
                        + "acted upon"),
                Field("Ethical considerations; caveats (model card)", "uses that are out of scope"),
            ]))
        section.add(
            "signatures",
            .fields([
                Field("Made by", "name, role, date, signature"), Field("Checked by", "name, role, date, signature"),
                Field("Approved by", "name, role, date, signature"),
            ]))
        return []
    }
}
