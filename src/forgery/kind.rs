//! In what a variant differs from what was said.

/// What is forged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Nothing.
    Genuine,
    /// The port, which becomes that of a service of the system's.
    ServicePort,
    /// The port, which becomes that of another service.
    OtherPort,
    /// The address, which becomes a neighbour's.
    OtherHost,
    /// The address, which becomes a stranger's.
    ThirdParty,
    /// Who comes: a stranger.
    OtherVisitor,
    /// Who is asked: a stranger.
    ForeignServer,
    /// Who asks: a neighbour.
    ForeignClient,
}

impl Kind {
    /// In the order of reports.
    pub const ALL: [Self; 8] = [
        Self::Genuine,
        Self::ServicePort,
        Self::OtherPort,
        Self::OtherHost,
        Self::ThirdParty,
        Self::OtherVisitor,
        Self::ForeignServer,
        Self::ForeignClient,
    ];

    /// In few words, for tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Genuine => "as it was",
            Self::ServicePort => "service port in the message",
            Self::OtherPort => "other port in the message",
            Self::OtherHost => "neighbour in the message",
            Self::ThirdParty => "stranger in the message",
            Self::OtherVisitor => "stranger as visitor",
            Self::ForeignServer => "stranger as server",
            Self::ForeignClient => "neighbour as client",
        }
    }

    /// In one sentence.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Genuine => "The dialogue as it was captured: what it makes a hole for.",
            Self::ServicePort => {
                "The port asked for becomes 22, where a service of the system's listens."
            }
            Self::OtherPort => {
                "The port asked for becomes 3389, or 5432, where services of users' listen."
            }
            Self::OtherHost => {
                "The address named becomes that of a host beside the one that was named."
            }
            Self::ThirdParty => {
                "The address named becomes that of a host that has no part in the dialogue."
            }
            Self::OtherVisitor => "A host that nobody named comes in place of the one expected.",
            Self::ForeignServer => "The whole dialogue is held with a server of the forger's.",
            Self::ForeignClient => {
                "The whole dialogue is opened by a host beside the one that opened it."
            }
        }
    }
}
