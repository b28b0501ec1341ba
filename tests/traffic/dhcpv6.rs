use super::flow::{Rng, Step};

pub fn session(_rng: &mut Rng) -> Vec<Step> {
    todo!()
}
