//! stub
use std::net::IpAddr;
#[derive(Clone, Debug, Default)]
pub struct Topology;
impl Topology {
    pub fn interface_of(&self, _a: IpAddr) -> Option<&str> {
        None
    }
}
