//! How long requests took: counted, and told as text.

use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;

/// The longest bar.
const WIDTH: u64 = 40;

/// How long requests took, in nanoseconds, to three digits.
#[derive(Debug)]
pub(crate) struct Latencies(Histogram<u64>);

impl Default for Latencies {
    fn default() -> Self {
        Self(Histogram::new(3).expect("three digits can be had"))
    }
}

impl Latencies {
    pub(crate) fn record(&mut self, took: Duration) {
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.0.record(nanoseconds).expect("it grows with what it is told");
    }
}

/// Within what time how many of them were over; then how many took how long, from one bound to the next, its double.
impl fmt::Display for Latencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = |nanoseconds: u64| nanoseconds as f64 / 1e6;
        for (name, quantile) in [("50 %", 0.5), ("90 %", 0.9), ("99 %", 0.99), ("99.9 %", 0.999), ("all", 1.0)] {
            writeln!(f, "{name:>9} within {:>9.3} ms", milliseconds(self.0.value_at_quantile(quantile)))?;
        }
        let bounds =
            self.0.iter_log(1000, 2.0).map(|step| (step.value_iterated_to(), step.count_since_last_iteration()));
        let counts: Vec<_> = bounds.skip_while(|&(_, count)| count == 0).collect();
        let most = counts.iter().map(|&(_, count)| count).max().unwrap_or_default().max(1);
        for (bound, count) in counts {
            let bar = "#".repeat((count * WIDTH).div_ceil(most) as usize);
            writeln!(f, "{count:>9} up to  {:>9.3} ms  {bar}", milliseconds(bound))?;
        }
        Ok(())
    }
}
