//! What there is to be read: sections of tables, lists and texts, whatever they are shown on.
//!
//! Every cell is a number, an address or a word of ours, or somebody else's words escaped; what a form of its own makes special
//! (a bar in Markdown, a bracket in HTML) each of them escapes itself.

/// Sections in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// In the order in which they are shown.
    pub sections: Vec<Section>,
}

/// Something under a heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Without a full stop.
    pub title: String,
    /// What stands beside it; empty where nothing does.
    pub remark: String,
    /// One below the other.
    pub blocks: Vec<Block>,
}

/// What stands below a heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// Rows of cells.
    Table(Table),
    /// A sentence or a few.
    Text(String),
    /// Points, each with what is to be typed for it.
    List(Vec<Item>),
    /// Lines that another program takes as they are.
    Code(String),
}

/// An item of a list, and what is to be typed for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The point itself.
    pub text: String,
    /// A line each.
    pub commands: Vec<String>,
}

/// Rows of cells. One without rows says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// A word or few a column; in JSON they are keys.
    pub headers: Vec<String>,
    /// Columns of numbers.
    pub numbers: Vec<usize>,
    /// A column whose words are not broken over two lines.
    pub whole: Option<usize>,
    /// As many cells each as there are headers.
    pub rows: Vec<Vec<String>>,
    /// A column of words that `Tone::of` knows, and of no others' words.
    pub judged: Option<usize>,
    /// How many rows were left out.
    pub omitted: u64,
}

/// How a severity, a verdict or the outcome of a proof is to be taken. What is written says it without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Good,
    Doubtful,
    Bad,
}

impl Tone {
    /// Of a word of ours, as far as one knows it.
    pub fn of(word: &str) -> Option<Self> {
        Some(match word {
            "needed" | "proved" => Self::Good,
            "medium" | "inert" | "cannot help" => Self::Doubtful,
            "high" | "not proved" => Self::Bad,
            dangerous if dangerous.ends_with(", dangerous") => Self::Bad,
            _ => return None,
        })
    }
}

impl Page {
    /// Begins a section. What is added after it belongs to it.
    pub fn heading(&mut self, title: impl Into<String>, remark: impl Into<String>) {
        self.sections.push(Section {
            title: title.into(),
            remark: remark.into(),
            blocks: Vec::new(),
        });
    }

    /// Adds a table, unless it has no rows.
    pub fn table(&mut self, table: Table) {
        if !table.rows.is_empty() {
            self.add(Block::Table(table));
        }
    }

    /// Adds a sentence or a few.
    pub fn text(&mut self, text: impl Into<String>) {
        self.add(Block::Text(text.into()));
    }

    /// Adds points without commands.
    pub fn list(&mut self, items: impl IntoIterator<Item = String>) {
        let items = items.into_iter().map(Item::from);
        self.add(Block::List(items.collect()));
    }

    /// Adds a block to the last section; nothing before the first.
    pub fn add(&mut self, block: Block) {
        if let Some(section) = self.sections.last_mut() {
            section.blocks.push(block);
        }
    }
}

impl From<String> for Item {
    fn from(text: String) -> Self {
        let commands = Vec::new();
        Self { text, commands }
    }
}

impl Table {
    /// With these headers; the columns of these indices hold numbers.
    pub fn new(headers: &[&str], numbers: &[usize]) -> Self {
        Self {
            headers: headers.iter().map(|name| (*name).to_owned()).collect(),
            numbers: numbers.to_vec(),
            whole: None,
            judged: None,
            rows: Vec::new(),
            omitted: 0,
        }
    }

    /// Words of this column are verdicts of ours, which a terminal may show in colour.
    pub fn judge(&mut self, column: usize) {
        self.judged = Some(column);
    }

    /// Words of this column are not broken over two lines.
    pub fn keep_whole(&mut self, column: usize) {
        self.whole = Some(column);
    }

    /// What is to be said of the rows that were left out.
    pub fn more(&self) -> String {
        format!(
            "and {} more: --csv and --parquet hold them all",
            self.omitted
        )
    }

    /// Adds a row.
    pub fn row<T: Into<String>>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }
}
