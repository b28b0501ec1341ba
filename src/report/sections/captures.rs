//! What was read, and what of it could not be.

use crate::analysis::Analysis;
use crate::capture::Account;
use crate::exposure::Totals;
use crate::report::page::{Page, Table};
use crate::verdict::counted;

/// The captures; nothing where it is one file that is as it should be.
pub fn captures(page: &mut Page, analysis: &Analysis) {
    let account = &analysis.account;
    let mut remarks = remarks(account, &analysis.exposure.totals);
    if analysis.audits > 0 {
        remarks.insert(
            0,
            format!(
                "{}, each with a conntrack of its own: a flow that goes on from one to the next counts in both",
                counted(analysis.audits, "audit")
            ),
        );
    }
    let is_packed = account
        .inputs
        .iter()
        .any(|input| input.compression.is_some());
    if account.inputs.len() < 2 && !is_packed && remarks.is_empty() {
        return;
    }
    let how = match account.inputs.len() {
        ..2 => "",
        _ if analysis.audits > 0 => "of several audits, frames counted on",
        _ if account.merged => "side by side, in the order of time",
        _ => "one behind the other",
    };
    page.heading("Captures", how);
    let mut table = Table::new(&["capture", "format", "packets"], &[2]);
    for input in &account.inputs {
        let format = match input.compression {
            Some(compression) => format!("{}, {compression}", input.format),
            None => input.format.to_owned(),
        };
        table.row([input.name.clone(), format, input.packets.to_string()]);
    }
    table.omitted = account.further_inputs;
    page.table(table);
    let damage = account.damage.iter().map(|damage| damage.to_string());
    let remarks: Vec<String> = remarks.into_iter().chain(damage).collect();
    if !remarks.is_empty() {
        page.list(remarks);
    }
}

fn remarks(account: &Account, totals: &Totals) -> Vec<String> {
    let mut remarks = Vec::new();
    if account.reordered {
        remarks.push("they were named in another order than that in which they begin".to_owned());
    }
    if account.passed_over_files > 0 {
        remarks.push(format!(
            "{} in the directories that are no captures",
            counted(account.passed_over_files, "file")
        ));
    }
    if account.overlapping > 0 && !account.merged {
        remarks.push(format!(
            "{} before an earlier one ends: --merge reads them side by side",
            match account.overlapping {
                1 => "1 of them begins".to_owned(),
                count => format!("{count} of them begin"),
            }
        ));
    }
    let duplicates: u64 = totals.links.values().map(|link| link.duplicates).sum();
    if duplicates > 0 {
        remarks.push(format!(
            "{} had been captured before, the same but for the hop count, and count once",
            counted(duplicates, "packet")
        ));
    }
    if account.interrupted {
        remarks.push("interrupted: what was read up to then is all that follows".to_owned());
    }
    if account.damaged > 0 {
        remarks.push(format!(
            "damaged at {}: {} are no record, and were passed over",
            counted(account.damaged, "place"),
            counted(account.passed_over_bytes, "byte")
        ));
    }
    remarks
}
