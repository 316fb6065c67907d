//! One alert that cannot be read holds up no other.

use super::*;

