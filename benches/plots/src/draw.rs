//! Two kinds of pictures: bars in groups, and lines. Both lie on a ground of their own, so that they can be read on any
//! page, and follow the reader's choice of dark or light.

use std::error::Error;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Who or what is drawn, in a colour.
#[derive(Clone, Copy, Debug)]
pub struct Series {
    /// As its table calls it.
    pub name: &'static str,
    /// As the picture calls it.
    pub label: &'static str,
    /// Red, green, blue.
    pub colour: RGBColor,
}

/// One picture.
#[derive(Clone, Debug)]
pub struct Picture {
    /// What is shown.
    pub title: &'static str,
    /// What the numbers are.
    pub unit: &'static str,
    /// In the order of the legend.
    pub series: Vec<Series>,
}

/// A picture's figures, where its series may have gaps.
pub type Groups = Vec<(String, Vec<Option<f64>>)>;

const WIDTH: u32 = 820;
const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
const FAINT: RGBColor = RGBColor(0xd9, 0xd9, 0xd9);
const GROUND: RGBColor = RGBColor(0xff, 0xff, 0xff);

/// What stands in for the colours above where a reader wants it dark.
const DARK: &str = "<style>@media (prefers-color-scheme: dark) { \
    [fill=\"#222222\"] { fill: #dddddd } [stroke=\"#D9D9D9\"] { stroke: #444444 } [fill=\"#FFFFFF\"] { fill: #1d1f21 } \
    }</style>";

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), Box<dyn Error>>;

/// Bars that lie, a group of them for each name, their figures behind them.
///
/// # Errors
/// The backend's.
pub fn bars(picture: &Picture, groups: &Groups) -> Result<String, Box<dyn Error>> {
    const BAR: f64 = 16.0;
    const GAP: f64 = 14.0;
    const LEFT: i32 = 178;
    const RIGHT: f64 = 70.0;
    let top = 44 + legend_height(picture);
    let shown: usize = groups.iter().map(|(_, figures)| figures.iter().flatten().count()).sum();
    let below = top + (shown as f64 * BAR + groups.len() as f64 * GAP) as i32;
    let most = groups.iter().flat_map(|(_, figures)| figures.iter().flatten()).fold(0.0, |a: f64, b| a.max(*b));
    let scale = (f64::from(WIDTH) - f64::from(LEFT) - RIGHT) / most;
    picture.render(below as u32 + 34, |area| {
        let x = |figure: f64| LEFT + (figure * scale).round() as i32;
        for tick in ticks(most) {
            area.draw(&PathElement::new(vec![(x(tick), top), (x(tick), below)], FAINT))?;
            area.draw(&text(&grouped(tick), (x(tick), below + 6), 14, HPos::Center, VPos::Top))?;
        }
        let mut y = f64::from(top) + GAP / 2.0;
        for (name, figures) in groups {
            let count = figures.iter().flatten().count() as f64;
            let middle = (y + count * BAR / 2.0) as i32;
            area.draw(&text(name, (LEFT - 10, middle), 15, HPos::Right, VPos::Center))?;
            for (series, figure) in picture.series.iter().zip(figures) {
                let Some(figure) = figure else { continue };
                let corners = [(LEFT, y as i32 + 1), (x(*figure), (y + BAR) as i32 - 1)];
                area.draw(&Rectangle::new(corners, series.colour.filled()))?;
                let at = (x(*figure) + 5, (y + BAR / 2.0) as i32);
                area.draw(&text(&grouped(*figure), at, 13, HPos::Left, VPos::Center))?;
                y += BAR;
            }
            y += GAP;
        }
        area.draw(&PathElement::new(vec![(LEFT, top), (LEFT, below)], INK.mix(0.6)))?;
        Ok(())
    })
}

/// Lines over a number, a point for each group, whose names are the numbers; each line's name stands at its end.
///
/// # Errors
/// The backend's, or a group is not named by a number.
pub fn lines(picture: &Picture, groups: &Groups, below: &str) -> Result<String, Box<dyn Error>> {
    let height = 420;
    let places = groups.iter().map(|(name, _)| name.parse()).collect::<Result<Vec<f64>, _>>()?;
    let last = places.iter().copied().fold(0.0, f64::max);
    let most = groups.iter().flat_map(|(_, figures)| figures.iter().flatten()).fold(0.0, |a: f64, b| a.max(*b));
    picture.render(height, |area| {
        let mut chart = ChartBuilder::on(area)
            .margin_top(44 + legend_height(picture))
            .margin_right(30)
            .margin_bottom(8)
            .margin_left(8)
            .x_label_area_size(44)
            .y_label_area_size(70)
            .build_cartesian_2d(0.0..last * 1.02, 0.0..most * 1.05)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .bold_line_style(FAINT)
            .light_line_style(TRANSPARENT)
            .axis_style(INK.mix(0.6))
            .x_desc(below)
            .axis_desc_style(("sans-serif", 15).into_font().color(&INK))
            .x_label_style(("sans-serif", 14).into_font().color(&INK))
            .y_label_style(("sans-serif", 14).into_font().color(&INK))
            .x_labels(12)
            .y_labels(8)
            .x_label_formatter(&|x| format!("{x:.0}"))
            .y_label_formatter(&|y| grouped(*y))
            .draw()?;
        for (at, series) in picture.series.iter().enumerate() {
            let points: Vec<(f64, f64)> =
                places.iter().zip(groups).filter_map(|(x, (_, figures))| Some((*x, (*figures.get(at)?)?))).collect();
            chart.draw_series(LineSeries::new(points.iter().copied(), series.colour.stroke_width(2)))?;
            chart.draw_series(points.iter().map(|point| Circle::new(*point, 3, series.colour.filled())))?;
        }
        Ok(())
    })
}

impl Picture {
    /// Ground, title and legend, and what `draw` adds.
    fn render(&self, height: u32, draw: impl FnOnce(&Area<'_>) -> Drawn) -> Result<String, Box<dyn Error>> {
        let mut svg = String::new();
        {
            let area = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
            area.fill(&GROUND)?;
            area.draw(&text(self.title, (16, 10), 19, HPos::Left, VPos::Top))?;
            let (mut x, mut y) = (16, 40);
            for (series, width) in self.series.iter().zip(self.widths()) {
                if x + width > WIDTH as i32 - 16 {
                    (x, y) = (16, y + 20);
                }
                area.draw(&Rectangle::new([(x, y), (x + 12, y + 12)], series.colour.filled()))?;
                area.draw(&text(series.label, (x + 18, y + 6), 14, HPos::Left, VPos::Center))?;
                x += width;
            }
            draw(&area)?;
            area.present()?;
        }
        let (head, rest) = svg.split_once(">\n").ok_or("no picture")?;
        Ok(format!("{head} role=\"img\">\n<title>{}; {}</title>\n{DARK}\n{rest}", self.title, self.unit))
    }

    /// How much of a line of the legend each name takes.
    fn widths(&self) -> impl Iterator<Item = i32> {
        self.series.iter().map(|series| 18 + series.label.len() as i32 * 7 + 14)
    }
}

fn legend_height(picture: &Picture) -> i32 {
    let (mut x, mut lines) = (16, 1);
    for width in picture.widths() {
        if x + width > WIDTH as i32 - 16 {
            (x, lines) = (16, lines + 1);
        }
        x += width;
    }
    lines * 20
}

fn text<'a>(words: &str, at: (i32, i32), size: i32, h: HPos, v: VPos) -> Text<'a, (i32, i32), String> {
    Text::new(words.to_owned(), at, ("sans-serif", size).into_font().color(&INK).pos(Pos::new(h, v)))
}

/// Round numbers from nothing up to `most`, about six of them.
fn ticks(most: f64) -> impl Iterator<Item = f64> {
    let rough = most / 6.0;
    let ten = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|by| by * ten).find(|step| *step >= rough).unwrap_or(rough);
    (0..).map(move |n| f64::from(n) * step).take_while(move |tick| *tick <= most)
}

/// A number with its thousands apart.
fn grouped(figure: f64) -> String {
    let digits = format!("{figure:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_round_and_readable() {
        assert_eq!(ticks(25_000.0).collect::<Vec<_>>(), [0.0, 5000.0, 10_000.0, 15_000.0, 20_000.0, 25_000.0]);
        assert_eq!([0.0, 999.0, 1000.0, 1_234_567.4].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn a_picture_says_what_it_is_and_goes_dark() {
        let series = vec![Series { name: "a", label: "A", colour: BLUE }];
        let picture = Picture { title: "Title", unit: "bytes", series };
        for svg in [
            bars(&picture, &vec![("x".into(), vec![Some(1.0)])]).unwrap(),
            lines(&picture, &vec![("1".into(), vec![Some(1.0)])], "x").unwrap(),
        ] {
            assert!(svg.starts_with("<svg ") && svg.contains("<title>Title; bytes</title>"), "{svg}");
            // The colours that are replaced in the dark are those that are used.
            for colour in ["[fill=\"#222222\"]", " fill=\"#222222\"", " fill=\"#FFFFFF\"", "stroke=\"#D9D9D9\""] {
                assert!(svg.contains(colour), "{colour}: {svg}");
            }
        }
    }
}
