//! The figures, as the benches printed them: a file of sections, each with Markdown tables.

/// One table: what its first column names, its columns, and its rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The heading of the first column, and those of the figures.
    pub heads: Vec<String>,
    /// The name of each row, and its cells as they were printed.
    pub rows: Vec<(String, Vec<String>)>,
}

impl Table {
    /// The first number of a cell, if there is one.
    #[must_use]
    pub fn figure(&self, row: &str, column: &str) -> Option<f64> {
        let at = self.heads.iter().skip(1).position(|head| head == column)?;
        let cells = &self.rows.iter().find(|(name, _)| name == row)?.1;
        cells.get(at)?.split([' ', ',']).next()?.parse().ok()
    }

    /// As Markdown, its figures to the right.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = format!("| {} |\n|---|{}\n", self.heads.join(" | "), "---:|".repeat(self.heads.len() - 1));
        for (name, cells) in &self.rows {
            text += &format!("| {name} | {} |\n", cells.join(" | "));
        }
        text
    }
}

/// The tables of each section, in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// When they were counted, and by what.
    pub when: String,
    sections: Vec<(String, Vec<Table>)>,
}

impl Figures {
    /// Reads the file that `plots.sh` writes: lines `== NAME` begin sections, the rest is what a program printed.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut figures = Self::default();
        let mut within = false;
        for line in text.lines() {
            if let Some(when) = line.strip_prefix("# ") {
                when.clone_into(&mut figures.when);
            } else if let Some(name) = line.strip_prefix("== ") {
                figures.sections.push((name.trim().to_owned(), Vec::new()));
            }
            let cells = line.trim().strip_prefix('|').and_then(|line| line.strip_suffix('|'));
            let cells = cells.map(|line| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>());
            let (Some(mut cells), Some((_, tables))) = (cells, figures.sections.last_mut()) else {
                within = false;
                continue;
            };
            match tables.last_mut().filter(|_| within) {
                None => tables.push(Table { heads: cells, rows: Vec::new() }),
                Some(_) if cells[0].starts_with("---") => {}
                Some(table) => {
                    let name = cells.remove(0);
                    table.rows.push((name, cells));
                }
            }
            within = true;
        }
        figures
    }

    /// The `at`th table of a section.
    ///
    /// # Errors
    /// It was not printed: its name.
    pub fn table(&self, section: &str, at: usize) -> Result<&Table, String> {
        let tables = self.sections.iter().find(|(name, _)| name == section).map(|(_, tables)| tables);
        tables.and_then(|tables| tables.get(at)).ok_or_else(|| format!("no table {at} of {section}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_found_by_section_and_place() {
        let text = "# then\n== one\nwords\n| server | six | tls |\n|---|---:|---:|\n| hyper | 12 | |\n\
            | ours | 7 (0.58) | 3.5, ours 1 |\n\nok  six\n\n| other | x |\n|---|---:|\n| a | 1 |\n== two\nnothing\n";
        let figures = Figures::parse(text);
        assert_eq!(figures.when, "then");
        let table = figures.table("one", 0).unwrap();
        assert_eq!(table.figure("hyper", "six"), Some(12.0));
        assert_eq!(table.figure("hyper", "tls"), None);
        assert_eq!((table.figure("ours", "six"), table.figure("ours", "tls")), (Some(7.0), Some(3.5)));
        assert_eq!(table.figure("nobody", "six"), None);
        assert_eq!(figures.table("one", 1).unwrap().figure("a", "x"), Some(1.0));
        assert!(figures.table("two", 0).is_err() && figures.table("three", 0).is_err());
        assert!(text.contains(&figures.table("one", 1).unwrap().markdown()));
    }
}
