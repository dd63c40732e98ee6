//! Half-space trees: how crowded the place of a point is, learned from the points of the last window.
//!
//! After Tan, Ting and Liu, *Fast anomaly detection for streaming data* (IJCAI 2011). The trees are drawn before the first
//! point, and only count.

use crate::reads::dice::Dice;

/// How many figures a point has.
pub const DIMENSIONS: usize = 4;
const TREES: usize = 20;
const DEPTH: usize = 8;
const NODES: usize = (1 << (DEPTH + 1)) - 1;
/// A place with a smaller share of a window is not divided further.
const CROWD: f64 = 0.01;

/// The trees.
#[derive(Debug)]
pub struct HalfSpaceTrees {
    trees: Vec<Vec<Node>>,
    window: u32,
    seen: u32,
}

#[derive(Debug, Clone, Copy, Default)]
struct Node {
    dimension: u8,
    at: f32,
    reference: u32,
    latest: u32,
}

impl HalfSpaceTrees {
    /// Trees that forget after two windows of so many points.
    pub fn new(seed: u64, window: u32) -> Self {
        let mut dice = Dice::new(seed, "half-space trees", 0);
        let trees = (0..TREES).map(|_| tree(&mut dice)).collect();
        Self { trees, window: window.max(1), seen: 0 }
    }

    /// How lonely a point is, its figures from 0 to 1; then it is learned. Higher is lonelier.
    pub fn observe(&mut self, point: &[f32; DIMENSIONS]) -> f64 {
        let crowd = (CROWD * f64::from(self.window)) as u32;
        let mut mass = 0.0;
        for tree in &mut self.trees {
            let (mut index, mut is_counted) = (0, false);
            for depth in 0..=DEPTH {
                let node = &mut tree[index];
                node.latest += 1;
                if !is_counted && (node.reference < crowd || depth == DEPTH) {
                    mass += f64::from(node.reference) * f64::from(1_u32 << depth);
                    is_counted = true;
                }
                let is_right = point[usize::from(node.dimension)] >= node.at;
                index = 2 * index + 1 + usize::from(is_right);
            }
        }
        self.seen += 1;
        if self.seen >= self.window {
            self.seen = 0;
            for node in self.trees.iter_mut().flatten() {
                node.reference = std::mem::take(&mut node.latest);
            }
        }
        -libm::log(mass + 1.0)
    }
}

/// A tree of halves: each node divides its part of the space in the middle of a dimension drawn by chance.
fn tree(dice: &mut Dice) -> Vec<Node> {
    let mut space = [(0.0, 0.0); DIMENSIONS];
    for range in &mut space {
        let center = dice.unit();
        let reach = 2.0 * f64::max(center, 1.0 - center);
        *range = (center - reach, center + reach);
    }
    let mut nodes = vec![Node::default(); NODES];
    divide(&mut nodes, 0, space, dice);
    nodes
}

fn divide(nodes: &mut [Node], index: usize, space: [(f64, f64); DIMENSIONS], dice: &mut Dice) {
    let Some(node) = nodes.get_mut(index) else { return };
    let dimension = dice.below(DIMENSIONS);
    let (low, high) = space[dimension];
    let middle = f64::midpoint(low, high);
    (node.dimension, node.at) = (dimension as u8, middle as f32);
    let (mut left, mut right) = (space, space);
    left[dimension].1 = middle;
    right[dimension].0 = middle;
    divide(nodes, 2 * index + 1, left, dice);
    divide(nodes, 2 * index + 2, right, dice);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_far_from_all_others_is_lonely() {
        let mut trees = HalfSpaceTrees::new(1, 1_000);
        let mut dice = Dice::new(1, "points", 0);
        for _ in 0..2_000 {
            let mut figure = || 0.3 + 0.05 * dice.unit() as f32;
            trees.observe(&[figure(), figure(), figure(), figure()]);
        }
        let usual = trees.observe(&[0.32; DIMENSIONS]);
        let far = trees.observe(&[0.32, 0.9, 0.32, 0.9]);
        assert!(far > usual + 1.0, "{far} {usual}");
    }
}
