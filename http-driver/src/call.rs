//! One call of a machine, with or without somebody watching.

/// Makes a typed call of the machine; with a tap, the same one through the model.
macro_rules! call {
    ($self:ident, $input:expr, |$machine:ident, $now:ident| $direct:expr) => {{
        let $now = $self.link.now();
        if $self.link.is_tapped() {
            $self.link.apply($input, $now)
        } else {
            let $machine = &mut $self.link.machine;
            $direct
        }
    }};
}

pub(crate) use call;
