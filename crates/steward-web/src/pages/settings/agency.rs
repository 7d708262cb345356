//! The agency: its name, zone and currency, and how its reports look.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use steward_app::agencies::AgencyChanges;
use steward_core::clients::{Brand, Paper};
use steward_core::money::Nanos;

use crate::flash::SeeOther;
use crate::problem::PageError;
use crate::session::{Fields, SignedForm, SignedUpload};
use crate::view::components::form::{Choice, Control, Field, Form};
use crate::view::components::notice::Flash;
use crate::view::page::Page;
use crate::view::pages::settings::{SettingsPage, SettingsPart};
use crate::{Routes, WebState};

use super::super::around::{Visit, mend};
use super::super::set_up::currency_choices;
use super::{must_operate, page};

pub(super) fn routes() -> Routes {
    Routes::new()
        .get("/settings/agency", show)
        .post("/settings/agency", save)
        .get("/settings/brand", show_brand)
        .post("/settings/brand", save_brand)
}

fn agency_page(visit: &Visit, sent: Option<&Fields>, error: String) -> Page<SettingsPage> {
    let agency = &visit.agency;
    let value = |name: &str, kept: String| sent.and_then(|form| form.get(name)).map_or(kept, str::to_owned);
    let currency = value("currency", agency.currency.code().to_owned());
    let fields = vec![
        Field {
            wide: true,
            ..Field::text("name", "Name", value("name", agency.name.clone())).with_hint("As your clients know it.")
        },
        Field::text("time_zone", "Time zone", value("time_zone", agency.time_zone.clone()))
            .with_hint("Days of figures and reports are days of this zone."),
        Field::select("currency", "Currency", currency_choices(&currency)),
        Field::number(
            "reviewer_rate",
            "A reviewer's hour costs",
            value("reviewer_rate", agency.reviewer_rate_nanos.units().to_string()),
        )
        .with_unit(agency.currency.code().to_owned()),
    ];
    let form = Form {
        in_pairs: true,
        error,
        note: "With another zone runs are read again; published reports stay as they are.".to_owned(),
        ..Form::new("/settings/agency", visit.csrf(), "Save", fields)
    };
    let part = SettingsPart { title: "Agency".to_owned(), form: Some(form), ..SettingsPart::default() };
    page(visit, "agency", "Agency", vec![part])
}

async fn show(visit: Visit) -> Result<Page<SettingsPage>, PageError> {
    must_operate(&visit)?;
    Ok(agency_page(&visit, None, String::new()))
}

async fn save(
    State(state): State<WebState>,
    visit: Visit,
    SignedForm { who, form }: SignedForm<Fields>,
) -> Result<Response, PageError> {
    must_operate(&visit)?;
    let again = |words| {
        Ok(agency_page(&visit, Some(&form), words).with_status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
    };
    let rate = match form.get("reviewer_rate").map(str::trim) {
        None | Some("") => None,
        Some(text) => match text.replace(',', ".").parse().ok().and_then(Nanos::from_units) {
            Some(rate) => Some(rate),
            None => return again("What a reviewer's hour costs is a number.".to_owned()),
        },
    };
    let text = |name: &str| form.get(name).map(str::to_owned);
    let changes = AgencyChanges {
        name: text("name"),
        time_zone: text("time_zone"),
        currency: text("currency"),
        reviewer_rate_nanos: rate,
        brand: None,
        privacy: None,
    };
    match state.app.update_agency(&who.actor, changes).await {
        Ok(_) => Ok(SeeOther::to("/settings/agency").saying(Flash::good("The agency was saved.")).into_response()),
        Err(error) => again(mend(error)?),
    }
}

fn brand_page(visit: &Visit, brand: &Brand, error: String) -> Page<SettingsPage> {
    let paper = match brand.paper {
        Paper::A4 => "a4",
        Paper::Letter => "letter",
    };
    let has_logo = !visit.agency.brand.logo.is_empty();
    let hint = if has_logo { "SVG or PNG. There is one already; another takes its place." } else { "SVG or PNG." };
    let mut fields = vec![
        Field::text("name", "Name on the cover", brand.name.clone()).optional().with_hint("Empty takes the agency's."),
        Field::line("color", "colour", "Colour", brand.colour.clone()),
        Field {
            control: Control::File("image/svg+xml,image/png,.svg,.png"),
            ..Field::text("logo", "Logo", "").optional()
        }
        .with_hint(hint),
    ];
    if has_logo {
        fields.push(Field::check("no_logo", "Remove the logo", false));
    }
    fields.push(Field {
        control: Control::Radios(Choice::list(&[("a4", "A4"), ("letter", "Letter")], paper)),
        ..Field::text("paper", "Paper", "")
    });
    fields.push(
        Field::lines("contact", "Where readers may ask", brand.contact.clone(), 2).with_hint("On the last page."),
    );
    let form = Form { has_files: true, error, ..Form::new("/settings/brand", visit.csrf(), "Save", fields) };
    let part = SettingsPart {
        title: "Reports' look".to_owned(),
        note: "White label: whose report it is. Published reports stay as they are.".to_owned(),
        form: Some(form),
        ..SettingsPart::default()
    };
    page(visit, "brand", "Reports' look", vec![part])
}

async fn show_brand(visit: Visit) -> Result<Page<SettingsPage>, PageError> {
    must_operate(&visit)?;
    Ok(brand_page(&visit, &visit.agency.brand, String::new()))
}

async fn save_brand(State(state): State<WebState>, visit: Visit, upload: SignedUpload) -> Result<Response, PageError> {
    must_operate(&visit)?;
    let text = |name: &str| upload.fields.get(name).unwrap_or_default().to_owned();
    let logo = upload.files.iter().find(|(field, ..)| field == "logo");
    let mut brand = Brand {
        name: text("name"),
        colour: text("colour"),
        logo: if upload.fields.has("no_logo") { String::new() } else { visit.agency.brand.logo.clone() },
        paper: if text("paper") == "letter" { Paper::Letter } else { Paper::A4 },
        contact: text("contact"),
    };
    if let Some((_, _, bytes)) = logo {
        brand.logo = if bytes.starts_with(b"\x89PNG") {
            format!("data:image/png;base64,{}", base64(bytes))
        } else {
            String::from_utf8_lossy(bytes).into_owned()
        };
    }
    match state
        .app
        .update_agency(&upload.who.actor, AgencyChanges { brand: Some(brand.clone()), ..AgencyChanges::default() })
        .await
    {
        Ok(_) => {
            Ok(SeeOther::to("/settings/brand").saying(Flash::good("The reports' look was saved.")).into_response())
        }
        Err(error) => {
            Ok(brand_page(&visit, &brand, mend(error)?).with_status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}

/// Bytes in base 64, as data URLs hold them.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().enumerate().fold(0_u32, |group, (i, byte)| group | u32::from(*byte) << (16 - 8 * i));
        for i in 0..4 {
            let digit = DIGITS[(group >> (18 - 6 * i) & 63) as usize];
            text.push(if i <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn bytes_are_written_as_data_urls_hold_them() {
        let all: Vec<_> = ["", "f", "fo", "foo", "foobar"].map(|text| base64(text.as_bytes())).into();
        assert_eq!(all, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYmFy"]);
        assert_eq!(base64(&[0xff, 0xfe, 0xfd]), "//79");
    }
}
