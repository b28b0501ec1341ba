//! What there is to be read: sections of tables, lists and texts, whatever they are shown on.
//!
//! Every cell is a number, an address or a word of ours, or somebody else's words escaped; what a form of its own makes special
//! (a bar in Markdown, a bracket in HTML) each of them escapes itself.

/// Sections in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    pub sections: Vec<Section>,
}

/// Something under a heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    pub title: String,
    /// What stands beside it; empty where nothing does.
    pub remark: String,
    pub blocks: Vec<Block>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    Table(Table),
    /// A sentence or a few.
    Text(String),
    List(Vec<Item>),
    /// Lines that another program takes as they are.
    Code(String),
}

/// An item of a list, and what is to be typed for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub text: String,
    pub commands: Vec<String>,
}

/// Rows of cells. One without rows says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    pub headers: Vec<String>,
    /// Columns of numbers.
    pub numbers: Vec<usize>,
    /// A column whose words are not broken over two lines.
    pub whole: Option<usize>,
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

    pub fn table(&mut self, table: Table) {
        if !table.rows.is_empty() {
            self.add(Block::Table(table));
        }
    }

    pub fn text(&mut self, text: impl Into<String>) {
        self.add(Block::Text(text.into()));
    }

    pub fn list(&mut self, items: impl IntoIterator<Item = String>) {
        let items = items.into_iter().map(Item::from);
        self.add(Block::List(items.collect()));
    }

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

    pub fn judge(&mut self, column: usize) {
        self.judged = Some(column);
    }

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

    pub fn row<T: Into<String>>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }
}
