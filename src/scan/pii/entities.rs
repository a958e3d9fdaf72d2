//! Numbers of people by country: shape, check digits, words that stand beside them.
//!
//! Must never call a number sure for its shape alone.

use std::sync::OnceLock;

use regex_automata::meta::Regex;

use super::{checks as c, world as w};

/// How much a match says without a word beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strength {
    /// Its check digits leave little to chance.
    Sure,
    /// A digit in ten or a shape fits by chance.
    Weak,
}

/// One kind of number.
pub struct Entity {
    /// The name that the field's tools share.
    pub name: &'static str,
    /// The code of its facts.
    pub code: &'static str,
    /// What it is.
    pub what: &'static str,
    pattern: &'static str,
    /// The check of a match.
    pub check: fn(&[u8]) -> bool,
    /// Words that say what it is, in lower case.
    pub context: &'static [&'static str],
    /// How much it says alone.
    pub strength: Strength,
    compiled: OnceLock<Option<Regex>>,
}

impl Entity {
    /// Returns the expression; compiled when first asked for.
    pub fn regex(&self) -> Option<&Regex> {
        self.compiled.get_or_init(|| super::compile(self.pattern)).as_ref()
    }
}

const ID: &str = "pii/identity";
const DOC: &str = "pii/identity";
const TAX: &str = "pii/identity";
const MONEY: &str = "pii/payment";
const HEALTH: &str = "pii/identity";
const PLATE: &str = "pii/identity";
const PHONE: &str = "pii/contact";

const fn sure(
    name: &'static str,
    code: &'static str,
    what: &'static str,
    pattern: &'static str,
    check: fn(&[u8]) -> bool,
    context: &'static [&'static str],
) -> Entity {
    Entity { name, code, what, pattern, check, context, strength: Strength::Sure, compiled: OnceLock::new() }
}

const fn weak(
    name: &'static str,
    code: &'static str,
    what: &'static str,
    pattern: &'static str,
    check: fn(&[u8]) -> bool,
    context: &'static [&'static str],
) -> Entity {
    Entity { name, code, what, pattern, check, context, strength: Strength::Weak, compiled: OnceLock::new() }
}

/// All kinds but those with a scanner of their own (addresses, cards, IBANs, phones with a plus).
#[rustfmt::skip]
pub static ENTITIES: [Entity; 91] = [
    weak("US_SSN", ID, "a US social security number", r"\b\d{3}-\d{2}-\d{4}\b|\b\d{3} \d{2} \d{4}\b|\b\d{3}\.\d{2}\.\d{4}\b|\b\d{9}\b|\b\d{3}-\d{6}\b|\b\d{5}-\d{4}\b", c::us_ssn, &["ssn", "social security", "social_security"]),
    weak("US_ITIN", TAX, "a US taxpayer number", r"\b9\d{2}[- ]?(?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])[- ]?\d{4}\b", c::any, &["itin", "taxpayer"]),
    weak("US_PASSPORT", DOC, "a US passport number", r"\b[A-Z]\d{8}\b", c::any, &["passport", "travel document"]),
    weak("US_DRIVER_LICENSE", DOC, "a US driver's licence", r"(?i)\b(?:[A-Z]\d{7,8}|[A-Z]{2}\d{6}|\d{9,13})\b", c::any, &["driver's licen", "driver licen", "drivers licen", "driving licen", "driver_licen"]),
    weak("ABA_ROUTING_NUMBER", MONEY, "a US bank routing number", r"\b\d{4}-?\d{4}-?\d\b", c::aba, &["routing", "aba"]),
    weak("US_NPI", HEALTH, "a US provider number", r"\b[12]\d{3}-?\d{3}-?\d{3}\b", c::npi, &["npi", "provider number", "provider id"]),
    weak("US_MBI", HEALTH, "a US Medicare number", r"(?i)\b[1-9][AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9]\d-?[AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9]\d-?[AC-HJKMNP-RT-Y]{2}\d{2}\b", c::any, &["medicare", "mbi", "beneficiary"]),
    weak("MEDICAL_LICENSE", HEALTH, "a US medical licence", r"(?i)\b[ABCDEFGHJKLMPRSTUX][A-Z9]\d{7}\b", c::dea, &["dea ", "dea:", "prescriber"]),
    weak("UK_NHS", HEALTH, "a British NHS number", r"\b\d{3}[- ]?\d{3}[- ]?\d{4}\b", c::nhs, &["nhs", "national health"]),
    weak("UK_NINO", ID, "a British national insurance number", r"(?i)\b[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b", c::nino, &["nino", "national insurance", "insurance number"]),
    weak("UK_PASSPORT", DOC, "a British passport number", r"(?i)\b[A-Z]{2}\d{7}\b", c::any, &["passport"]),
    weak("UK_DRIVING_LICENCE", DOC, "a British driving licence", r"(?i)\b[A-Z9]{5}\d(?:0[1-9]|1[0-2]|5[1-9]|6[0-2])(?:0[1-9]|[12]\d|3[01])\d[A-Z9]{2}[A-Z0-9][A-Z]{2}\b", c::any, &["driving licen", "dvla"]),
    weak("UK_POSTCODE", "pii/contact", "a British postcode", r"(?i)\b(?:[A-PR-UWYZ](?:\d{1,2}|[A-HK-Y]\d{1,2}|\d[A-HJKPSTUW]|[A-HK-Y]\d[ABEHMNPRVWXY])) ?\d[ABD-HJLNP-UW-Z]{2}\b", c::any, &["postcode", "post code"]),
    weak("UK_VEHICLE_REGISTRATION", PLATE, "a British number plate", r"(?i)\b(?:[A-HJ-PR-Y]{2}(?:0[1-9]|[12]\d|5[1-9]|[67]\d)[ -]?[A-HJ-PR-Z]{3}|[A-HJ-NPR-TV-Y]\d{1,3}[ -]?[A-HJ-PR-Y]{3}|[A-HJ-PR-Y]{3}[ -]?\d{1,3}[A-HJ-NPR-TV-Y])\b", c::any, &["vehicle", "registration", "number plate", "licence plate"]),
    weak("DE_TAX_ID", TAX, "a German tax id", r"\b[1-9]\d ?\d{3} ?\d{3} ?\d{3}\b", c::de_tax_id, &["steuer", "tin", "tax id"]),
    weak("DE_TAX_NUMBER", TAX, "a German tax number", r"\b(?:0[1-9]|1[0-6])\d{11}\b|\b\d{2,3}/\d{3,4}/\d{4,5}\b", c::any, &["steuernummer", "st.-nr", "stnr", "tax number"]),
    weak("DE_VAT_ID", TAX, "a German VAT id", r"(?i)\bDE[ .-]?\d{3}[ .-]?\d{3}[ .-]?\d{3}\b", c::any, &["ust", "vat", "umsatzsteuer"]),
    weak("DE_ID_CARD", DOC, "a German identity card", r"(?i)\b[CFGHJKLMNPRTVWXYZ][CFGHJKLMNPRTVWXYZ0-9]{7}\d\b", c::de_id_card, &["ausweis", "personalausweis", "identity card", "id card"]),
    weak("DE_PASSPORT", DOC, "a German passport", r"(?i)\b[CFGHJK][CFGHJKLMNPRTVWXYZ0-9]{7}\d\b|(?i)\b[LMNPRTVWXYZ][CFGHJKLMNPRTVWXYZ0-9]{7}\d\b", c::de_document, &["pass", "reisepass"]),
    sure("DE_SOCIAL_SECURITY", ID, "a German pension insurance number", r"(?i)\b\d{8}[A-Z]\d{3}\b", c::de_social, &["rentenversicherung", "sozialversicherung", "rvnr", "svnr"]),
    weak("DE_HEALTH_INSURANCE", HEALTH, "a German health insurance number", r"(?i)\b[A-Z]\d{9}\b", c::de_health, &["krankenversicherung", "kvnr", "versichertennummer", "health insurance"]),
    weak("DE_LANR", HEALTH, "the number of a German doctor", r"\b\d{9}\b", c::de_lanr, &["lanr", "arztnummer"]),
    weak("DE_BSNR", HEALTH, "the number of a German practice", r"\b\d{9}\b", c::any, &["bsnr", "betriebsst"]),
    weak("DE_FUEHRERSCHEIN", DOC, "a German driving licence", r"(?i)\b[A-Z]{2}\d{8}[A-Z0-9]\b", c::any, &["hrerschein", "fahrerlaubnis", "driving licence"]),
    weak("DE_HANDELSREGISTER", "pii/identity", "a German company register number", r"(?i)\bHR[AB] ?\d{3,6}\b", c::any, &["handelsregister", "amtsgericht"]),
    weak("DE_KFZ", PLATE, "a German number plate", r"(?i)\b[A-Z]{1,3}[ -][A-Z]{1,2}[ -]\d{1,4}[EH]?\b", c::any, &["kennzeichen", "kfz"]),
    weak("DE_PLZ", "pii/contact", "a German postcode", r"\b\d{5}\b", c::de_plz, &["plz", "postleitzahl"]),
    sure("FR_NIR", ID, "a French social security number", r"(?i)\b[12][ ]?\d{2}[ ]?(?:0[1-9]|1[0-2]|[2-9]\d)[ ]?(?:\d{2}|2[AB])[ ]?\d{3}[ ]?\d{3}[ ]?\d{2}\b", c::fr_nir, &["nir", "insee", "securite sociale", "num\u{e9}ro de s\u{e9}curit\u{e9}"]),
    weak("ES_NIF", ID, "a Spanish NIF", r"(?i)\b\d{7,8}-?[A-Z]\b", c::es_nif, &["nif", "dni"]),
    weak("ES_NIE", ID, "a Spanish NIE", r"(?i)\b[XYZ]-?\d{7}-?[A-Z]\b", c::es_nie, &["nie", "extranjero"]),
    weak("ES_PASSPORT", DOC, "a Spanish passport", r"(?i)\b[A-Z]{3}\d{6}\b", c::any, &["pasaporte", "passport"]),
    weak("IT_FISCAL_CODE", TAX, "an Italian fiscal code", r"(?i)\b[A-Z]{6}[0-9LMNP-V]{2}[A-EHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z]\b", c::it_fiscal, &["codice fiscale", "fiscal"]),
    weak("IT_VAT_CODE", TAX, "an Italian VAT number", r"\b\d{11}\b", c::luhn, &["partita iva", "p.iva", "vat"]),
    weak("IT_DRIVER_LICENSE", DOC, "an Italian driving licence", r"(?i)\b(?:[A-Z]{2}\d{7}[A-Z]|U1[A-Z0-9]{7}[A-Z])\b", c::any, &["patente", "driving licen"]),
    weak("IT_PASSPORT", DOC, "an Italian passport", r"(?i)\b[A-Z]{2}\d{7}\b", c::any, &["passaporto", "passport"]),
    weak("PL_PESEL", ID, "a Polish PESEL", r"\b\d{11}\b", c::pl_pesel, &["pesel"]),
    sure("FI_PERSONAL_IDENTITY_CODE", ID, "a Finnish identity code", r"\d{6}[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y]\b", c::fi_hetu, &["hetu", "henkil", "identity code"]),
    weak("SE_PERSONNUMMER", ID, "a Swedish identity number", r"(?:1[89]|20)?\d{6}[-+]?\d{4}\b", c::se_person, &["personnummer", "pnr", "swedish id"]),
    weak("SE_ORGANISATIONSNUMMER", "pii/identity", "a Swedish organisation number", r"\b\d{6}-?\d{4}\b", c::se_org, &["orgnr", "organisationsnummer", "orgnummer"]),
    weak("NL_BSN", ID, "a Dutch citizen number", r"\b\d{9}\b", c::nl_bsn, &["bsn", "burgerservicenummer"]),
    weak("BE_NRN", ID, "a Belgian national number", r"\b\d{2}\.?\d{2}\.?\d{2}-?\d{3}\.?\d{2}\b", c::be_nrn, &["rijksregister", "national number", "registre national"]),
    weak("AU_ABN", "pii/identity", "an Australian business number", r"\b\d{2} ?\d{3} ?\d{3} ?\d{3}\b", c::au_abn, &["abn", "business number"]),
    weak("AU_ACN", "pii/identity", "an Australian company number", r"\b\d{3} ?\d{3} ?\d{3}\b", c::au_acn, &["acn", "company number"]),
    weak("AU_TFN", TAX, "an Australian tax file number", r"\b\d{3} ?\d{3} ?\d{3}\b", c::au_tfn, &["tfn", "tax file"]),
    weak("AU_MEDICARE", HEALTH, "an Australian Medicare number", r"\b[2-6]\d{3} ?\d{5} ?\d\b", c::au_medicare, &["medicare"]),
    weak("CA_SIN", ID, "a Canadian social insurance number", r"\b\d{3}-\d{3}-\d{3}\b|\b\d{3} \d{3} \d{3}\b|\b\d{9}\b", c::ca_sin, &["sin ", "social insurance"]),
    weak("IN_AADHAAR", ID, "an Indian Aadhaar number", r"\b[2-9]\d{3}[-: ]?\d{4}[-: ]?\d{4}\b", c::verhoeff, &["aadhaar", "uidai"]),
    weak("IN_PAN", TAX, "an Indian PAN", r"(?i)\b[A-Z]{3}[ABCFGHJLNPT][A-Z]\d{4}[A-Z]\b", c::any, &["pan ", "permanent account"]),
    weak("IN_GSTIN", TAX, "an Indian GST number", r"(?i)\b(?:0[1-9]|[12]\d|3[0-8])[A-Z]{5}\d{4}[A-Z][1-9A-Z]Z[0-9A-Z]\b", c::any, &["gstin", "gst"]),
    weak("IN_PASSPORT", DOC, "an Indian passport", r"(?i)\b[A-Z][1-9]\d{6}\b", c::any, &["passport"]),
    weak("IN_VOTER", ID, "an Indian voter id", r"(?i)\b[A-Z]{3}\d{7}\b", c::any, &["voter", "vote", "epic"]),
    weak("IN_VEHICLE_REGISTRATION", PLATE, "an Indian number plate", r"(?i)\b[A-Z]{2}\d{1,2}[A-Z]{1,3}\d{4}\b", c::any, &["vehicle", "registration"]),
    weak("SG_NRIC_FIN", ID, "a Singaporean NRIC or FIN", r"(?i)\b[STFGM]\d{7}[A-Z]\b", c::sg_nric, &["nric", "fin "]),
    weak("SG_UEN", "pii/identity", "a Singaporean entity number", r"(?i)\b(?:\d{8}[A-Z]|(?:19|20)\d{7}[A-Z]|[TSR]\d{2}[A-Z]{2}\d{4}[A-Z])\b", c::any, &["uen"]),
    weak("KR_RRN", ID, "a Korean resident number", r"\b\d{6}-?[1-4]\d{6}\b", c::kr_birth, &["rrn", "resident registration", "\u{c8fc}\u{bbfc}"]),
    weak("KR_FRN", ID, "a Korean foreigner number", r"\b\d{6}-?[5-8]\d{6}\b", c::kr_birth, &["frn", "foreigner registration"]),
    weak("KR_BRN", "pii/identity", "a Korean business number", r"\b\d{3}-?\d{2}-?\d{5}\b", c::kr_brn, &["brn", "business registration"]),
    weak("KR_PASSPORT", DOC, "a Korean passport", r"(?i)\b[MSRODG](?:\d{8}|\d{3}[A-Z]\d{4})\b", c::any, &["passport", "\u{c5ec}\u{ad8c}"]),
    weak("KR_DRIVER_LICENSE", DOC, "a Korean driving licence", r"\b(?:1[1-9]|2[0-68])[- ]\d{2}[- ]\d{6}[- ]\d{2}\b", c::any, &["driving licen", "driver licen", "driver's licen"]),
    weak("TH_TNIN", ID, "a Thai national number", r"\b[1-8]\d{12}\b", c::th_tnin, &["\u{e1b}\u{e23}\u{e30}\u{e0a}\u{e32}\u{e0a}\u{e19}", "thai national"]),
    weak("TR_NATIONAL_ID", ID, "a Turkish national id", r"\b[1-9]\d{10}\b", c::tr_id, &["tckn", "tc kimlik", "kimlik"]),
    weak("TR_LICENSE_PLATE", PLATE, "a Turkish number plate", r"(?i)\b(?:0[1-9]|[1-7]\d|8[01]) ?(?:[A-Z] ?\d{4}|[A-Z]{2} ?\d{3,4}|[A-Z]{3} ?\d{2,4})\b", c::any, &["plaka"]),
    weak("TR_PHONE_NUMBER", PHONE, "a Turkish phone number", r"(?:\+90[ -]?|\b0[ -]?|\b)\(?[2345]\d{2}\)?[ -]?\d{3}[ -]?\d{2}[ -]?\d{2}\b", c::any, &["cep", "telefon", "phone"]),
    weak("PH_MOBILE_NUMBER", PHONE, "a Philippine mobile number", r"(?:\+63[ -]?|\b0[ -]?)\(?9\d{2}\)?[ -]?\d{3}[ -]?\d{4}\b", c::any, &["mobile", "numero", "cell"]),
    weak("PH_TIN", TAX, "a Philippine tax number", r"\b\d{3}-?\d{3}-?\d{3}-?\d{3}\b", c::ph_tin, &["tin", "bir"]),
    weak("NG_VEHICLE_REGISTRATION", PLATE, "a Nigerian number plate", r"(?i)\b[A-Z]{3}-?\d{3}[A-Z]{2}\b", c::any, &["plate", "vehicle"]),
    weak("ZA_ID_NUMBER", ID, "a South African id", r"\b\d{10}[0-2][89]\d\b|\b\d{10}[0-2]\d{2}\b", c::za_id, &["south african id", "rsa id", "id number"]),
    weak("BR_CPF", ID, "a Brazilian CPF", r"\b\d{3}\.?\d{3}\.?\d{3}-?\d{2}\b", w::br_cpf, &["cpf", "cadastro de pessoa"]),
    weak("BR_CNPJ", ID, "a Brazilian CNPJ", r"\b\d{2}\.?\d{3}\.?\d{3}/?\d{4}-?\d{2}\b", w::br_cnpj, &["cnpj"]),
    weak("CN_ID_NUMBER", ID, "a Chinese resident number", r"(?i)\b[1-9]\d{5}(?:19|20)\d{9}[0-9X]\b", w::cn_id, &["resident id", "id number", "identity", "\u{8eab}\u{4efd}"]),
    sure("CH_AHV", ID, "a Swiss insurance number", r"\b756[. ]?\d{4}[. ]?\d{4}[. ]?\d{2}\b", w::ch_ahv, &["ahv", "avs", "sozialversicherung", "nss"]),
    weak("NO_FODSELSNUMMER", ID, "a Norwegian identity number", r"\b\d{6} ?\d{5}\b", w::no_fnr, &["fodselsnummer", "f\u{f8}dselsnummer", "personnummer", "fnr"]),
    weak("DK_CPR", ID, "a Danish identity number", r"\b\d{6}-?\d{4}\b", w::dk_cpr, &["cpr"]),
    weak("PT_NIF", TAX, "a Portuguese tax number", r"\b\d{3} ?\d{3} ?\d{3}\b", w::pt_nif, &["nif", "contribuinte"]),
    weak("MX_CURP", ID, "a Mexican CURP", r"(?i)\b[A-Z][AEIOUX][A-Z]{2}\d{6}[HMX][A-Z]{5}[A-Z0-9]\d\b", w::mx_curp, &["curp"]),
    weak("CL_RUT", ID, "a Chilean RUT", r"(?i)\b\d{1,2}\.?\d{3}\.?\d{3}-[\dK]\b", w::cl_rut, &["rut"]),
    weak("AR_CUIT", TAX, "an Argentine tax number", r"\b\d{2}-?\d{8}-?\d\b", w::ar_cuit, &["cuit", "cuil"]),
    weak("IL_ID_NUMBER", ID, "an Israeli identity number", r"\b\d{9}\b", w::il_id, &["teudat zehut", "israeli id", "\u{5ea}\u{5e2}\u{5d5}\u{5d3}\u{5ea} \u{5d6}\u{5d4}\u{5d5}\u{5ea}"]),
    weak("RO_CNP", ID, "a Romanian identity number", r"\b[1-9]\d{12}\b", w::ro_cnp, &["cnp", "cod numeric"]),
    weak("BG_EGN", ID, "a Bulgarian identity number", r"\b\d{10}\b", w::bg_egn, &["egn", "\u{415}\u{413}\u{41d}"]),
    weak("CZ_BIRTH_NUMBER", ID, "a Czech or Slovak birth number", r"\b\d{6}/?\d{4}\b", w::cz_birth, &["rodne cislo", "rodn\u{e9} \u{10d}\u{ed}slo", "birth number"]),
    weak("RU_INN", TAX, "a Russian tax number", r"\b\d{12}\b", w::ru_inn, &["inn", "\u{418}\u{41d}\u{41d}"]),
    weak("RU_SNILS", ID, "a Russian insurance number", r"\b\d{3}-?\d{3}-?\d{3}[ -]?\d{2}\b", w::ru_snils, &["snils", "\u{421}\u{41d}\u{418}\u{41b}\u{421}"]),
    weak("AT_SVNR", ID, "an Austrian insurance number", r"\b\d{4}[ -]?\d{6}\b", w::at_svnr, &["svnr", "sozialversicherung", "sv-nummer"]),
    weak("IE_PPS", ID, "an Irish PPS number", r"(?i)\b\d{7}[A-W][A-IW]?\b", w::ie_pps, &["pps"]),
    weak("JP_MY_NUMBER", ID, "a Japanese individual number", r"\b\d{4}[ -]?\d{4}[ -]?\d{4}\b", w::jp_number, &["my number", "mynumber", "\u{30de}\u{30a4}\u{30ca}\u{30f3}\u{30d0}\u{30fc}", "\u{500b}\u{4eba}\u{756a}\u{53f7}"]),
    weak("HK_ID", ID, "an identity card of Hong Kong", r"(?i)\b[A-Z]{1,2}\d{6}(?:\([0-9A]\)|[0-9A]\b)", w::hk_id, &["hkid", "hong kong id"]),
    weak("TW_ID", ID, "an identity card of Taiwan", r"(?i)\b[A-Z][1289]\d{8}\b", w::tw_id, &["taiwan", "\u{8eab}\u{5206}\u{8b49}"]),
    weak("NG_NIN", ID, "a Nigerian identity number", r"\b\d{11}\b", c::verhoeff, &["nin", "national identification number", "nimc"]),
    weak("US_BANK_NUMBER", MONEY, "a US bank account", r"\b\d{8,17}\b", c::any, &["bank account", "acct number"]),
    weak("NZ_IRD", TAX, "a New Zealand tax number", r"\b\d{2,3}[- ]\d{3}[- ]\d{3}\b", c::any, &["ird number", "inland revenue"]),
];
